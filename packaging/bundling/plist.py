def info_plist(): return {}
