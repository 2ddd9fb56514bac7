"""The kernel settings that a kubelet with protectKernelDefaults wants to find.

Source: kubernetes/kubernetes pkg/kubelet/cm/container_manager_linux.go (setupKernelTunables) and
pkg/util/sysctl (RootMaxKeysSetting and its bytes).
"""

NAME = "90-harden-kubelet.conf"
DROP_IN = """\
# What the kubelet wants of the kernel where protectKernelDefaults is true. For /etc/sysctl.d of every node.
vm.overcommit_memory=1
vm.panic_on_oom=0
kernel.panic=10
kernel.panic_on_oops=1
kernel.keys.root_maxkeys=1000000
kernel.keys.root_maxbytes=25000000
"""
INSTALL = (
    f"on every node, before its kubelet gets the new configuration: install -m 0644 {NAME} /etc/sysctl.d/{NAME} && "
    "sysctl --system"
)
