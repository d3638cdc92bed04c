"""Words as training takes them: packed, on a device, or drawn as it goes."""
