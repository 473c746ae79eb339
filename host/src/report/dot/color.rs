//! Colours of a drawing: red for what grows, green for what shrinks, grey for little.

/// The colour of a share of the whole, as `#rrggbb`; a light one for backgrounds.
pub(super) fn of_share(part: i64, whole: i64, is_background: bool) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a colour needs no more than 53 bits")]
    let share = part as f64 / whole.unsigned_abs() as f64;
    // 0 of 0 is nothing.
    let share = if share.is_nan() { 0.0 } else { share.clamp(-1.0, 1.0) };
    let (mut saturation, value) = if is_background { (0.1, 0.93) } else { (1.0, 0.7) };
    if share.abs() < 0.2 {
        saturation *= share.abs() / 0.2;
    }
    // Shares are moved away from grey, so that small ones are told apart.
    let moved = share.abs().powf(1.0 - 0.7);
    let faded = value * (1.0 - saturation * moved);
    let (red, green) = if share < 0.0 { (faded, value) } else { (value, faded) };
    let blue = value * (1.0 - saturation);
    let [red, green, blue] = [red, green, blue].map(byte);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
fn byte(share: f64) -> u8 {
    (share * 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_pprofs_colours() {
        for (part, whole, color, background) in [
            (68, 102, "#b21400", "#edd8d5"),
            (3, 102, "#b2a998", "#edebe9"),
            (1, 102, "#b2b0a9", "#edeceb"),
            (0, 0, "#b2b2b2", "#ededed"),
            (1, 1, "#b20000", "#edd5d5"),
            (-1, 1, "#00b200", "#d5edd5"),
        ] {
            assert_eq!([false, true].map(|it| of_share(part, whole, it)), [color, background], "{part} of {whole}");
        }
    }
}
