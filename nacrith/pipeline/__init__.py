"""A whole file in either direction: blocks, frames, members, and going on with a part."""
