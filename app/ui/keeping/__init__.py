"""Rules that run by themselves, repair, erasing: what keeps the library well."""
