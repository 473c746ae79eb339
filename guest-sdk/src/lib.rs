//! What a guest may call to tell wprof more than it sees by itself. Nothing yet: labels and custom profiles come
//! with an issue of their own. A guest needs none of this to be profiled.
#![no_std]
#![forbid(unsafe_code)]
