"""What the tree says about itself, a folder per subject. Facts are collected and never change anything."""
