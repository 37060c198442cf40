"""A run as a picture: one page that shows a run while it is played, and the same page with a time slider.

```
journal ──► ticks ──► scene ──► frame ──► merge patch ──► page      live: served while the journal grows
                                                                    replay: all frames in one file
```

`ticks`, `scene` and `replay` are pure. `page_server` is a process of its own, so that the run does not pay
for it; `live_page` starts it from the run, and `director` does what a person asks of the page.
"""
