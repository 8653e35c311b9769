"""What this machine has: psutil for the host, NVML for NVIDIA, macOS's own programs for Apple."""
