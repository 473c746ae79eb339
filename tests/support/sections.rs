//! Sections of a wasm file.

/// The module without its custom section of this name.
#[must_use]
pub fn without_custom(module: &[u8], name: &str) -> Vec<u8> {
    let mut kept = module[..8].to_vec();
    let mut at = 8;
    while at < module.len() {
        let (len, body) = leb128(module, at + 1);
        let end = body + len;
        let is_it = module[at] == 0 && {
            let (name_len, start) = leb128(module, body);
            &module[start..start + name_len] == name.as_bytes()
        };
        if !is_it {
            kept.extend_from_slice(&module[at..end]);
        }
        at = end;
    }
    kept
}

/// The module with one more custom section at its end.
#[must_use]
pub fn with_custom(module: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let string = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let body = [&string(name.as_bytes())[..], data].concat();
    // One byte of length is enough for what tests add.
    assert!(body.len() < 0x80);
    [module, &[0], &string(&body)].concat()
}

/// An unsigned number and where it ends.
fn leb128(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        value |= usize::from(bytes[at] & 0x7f) << shift;
        at += 1;
        if bytes[at - 1] < 0x80 {
            return (value, at);
        }
        shift += 7;
    }
}
