"""PyInstaller's hook for MLX: its C++ imports two modules that analysis cannot see."""

from PyInstaller.utils.hooks import collect_dynamic_libs

hiddenimports = ["mlx._reprlib_fix", "mlx.__array_api_info"]
binaries = collect_dynamic_libs("mlx")
