"""What the kind `log` is made of: places in files, following them, and counting in their lines."""
