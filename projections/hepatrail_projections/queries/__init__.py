"""The SOFT rules (`events.md` section 3, `safety.md` 4.2): each opens a data query while its condition holds."""
