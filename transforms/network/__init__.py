"""K05: missing network segmentation."""
