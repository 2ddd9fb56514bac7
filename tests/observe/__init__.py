"""The proving ground of ``harden observe``: images and workloads whose outcome is known beforehand."""
