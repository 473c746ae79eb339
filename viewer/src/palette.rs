//! The colours of boxes: twelve for packages, told apart by people of any colour vision, and the text that is readable
//! on each.

use crate::protocol::Look;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Rgb {
    /// As CSS and SVG write it.
    pub(crate) fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// What a box is filled with, and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) fill: Rgb,
    pub(crate) text: Rgb,
}

/// How many colours packages share.
pub(crate) const N_TONES: u8 = 12;

/// A package's colour in oklch: lightness and chroma in the light theme, in the dark one, and the hue.
struct Tone {
    light: (f64, f64),
    dark: (f64, f64),
    hue: f64,
}

const fn tone(light: (f64, f64), dark: (f64, f64), hue: f64) -> Tone {
    Tone { light, dark, hue }
}

/// Found by maximising the least distance of any two, in both themes, as people see it with all cones and (Machado 2009)
/// without those for red or green: hence lightness differs as much as hue does.
static TONES: [Tone; N_TONES as usize] = [
    tone((0.733, 0.068), (0.467, 0.080), 31.0),
    tone((0.834, 0.051), (0.498, 0.100), 71.0),
    tone((0.710, 0.108), (0.426, 0.088), 74.0),
    tone((0.880, 0.108), (0.360, 0.066), 82.0),
    tone((0.769, 0.089), (0.531, 0.047), 99.0),
    tone((0.900, 0.092), (0.360, 0.040), 161.0),
    tone((0.841, 0.108), (0.463, 0.060), 184.0),
    tone((0.825, 0.085), (0.518, 0.052), 229.0),
    tone((0.900, 0.048), (0.390, 0.100), 251.0),
    tone((0.710, 0.103), (0.453, 0.069), 259.0),
    tone((0.779, 0.103), (0.530, 0.100), 275.0),
    tone((0.712, 0.048), (0.360, 0.074), 315.0),
];

/// All that depends on the theme.
#[derive(Debug)]
pub(crate) struct Theme {
    is_dark: bool,
    text: Rgb,
    root: Rgb,
    host: Paint,
    host_ancestor: Paint,
    matched: Paint,
    unmatched: Paint,
    /// Lightness and share of the chroma of boxes above the zoomed one.
    ancestor: (f64, f64),
    /// Lightness of what has not changed, and lightness and chroma of what is all new, or gone.
    change: (f64, f64, f64),
    /// Behind all boxes.
    pub(crate) background: Rgb,
    /// Around the boxes of the function pointed at.
    pub(crate) outline: Rgb,
    /// Around the boxes of the function chosen.
    pub(crate) chosen: Rgb,
    /// Over the box pointed at.
    pub(crate) veil: &'static str,
    /// At the left edge of inlined frames.
    pub(crate) notch: &'static str,
}

const INK: Rgb = Rgb(0x16, 0x18, 0x1d);
const PAPER: Rgb = Rgb(0xf4, 0xf5, 0xf7);
const WHITE: Rgb = Rgb(0xff, 0xff, 0xff);

static LIGHT: Theme = Theme {
    is_dark: false,
    text: INK,
    root: Rgb(0xdc, 0xdf, 0xe6),
    host: Paint { fill: Rgb(0x5d, 0x66, 0x75), text: WHITE },
    host_ancestor: Paint { fill: Rgb(0x6b, 0x74, 0x83), text: WHITE },
    matched: Paint { fill: Rgb(0xf2, 0xb4, 0x00), text: INK },
    unmatched: Paint { fill: Rgb(0xe9, 0xea, 0xee), text: Rgb(0x5a, 0x5f, 0x6a) },
    ancestor: (0.94, 0.35),
    change: (0.92, 0.70, 0.15),
    background: WHITE,
    outline: INK,
    chosen: Rgb(0x1d, 0x4e, 0xd8),
    veil: "rgb(0 0 0 / 0.10)",
    notch: "rgb(0 0 0 / 0.40)",
};

static DARK: Theme = Theme {
    is_dark: true,
    text: PAPER,
    root: Rgb(0x3a, 0x3e, 0x47),
    host: Paint { fill: Rgb(0xae, 0xb6, 0xc4), text: INK },
    host_ancestor: Paint { fill: Rgb(0x8d, 0x95, 0xa3), text: INK },
    matched: Paint { fill: Rgb(0xff, 0xd2, 0x4a), text: INK },
    unmatched: Paint { fill: Rgb(0x26, 0x29, 0x2f), text: Rgb(0xa3, 0xa8, 0xb3) },
    ancestor: (0.31, 0.4),
    change: (0.36, 0.50, 0.14),
    background: Rgb(0x13, 0x14, 0x18),
    outline: WHITE,
    chosen: Rgb(0x8a, 0xb4, 0xff),
    veil: "rgb(255 255 255 / 0.16)",
    notch: "rgb(255 255 255 / 0.45)",
};

/// Hues of what grew and what shrank: red and blue are told apart with any colour vision.
const GREW: f64 = 27.0;
const SHRANK: f64 = 252.0;

impl Theme {
    pub(crate) fn of(dark: bool) -> &'static Theme {
        if dark { &DARK } else { &LIGHT }
    }

    /// The paint of a box; while something is searched for, only what is found has a colour.
    pub(crate) fn paint(&self, look: Look, searching: bool) -> Paint {
        if searching {
            return if look.is_matched() { self.matched } else { self.unmatched };
        }
        if let Some(change) = look.change() {
            return Paint { fill: self.changed(change), text: self.text };
        }
        if look.is_root() {
            return Paint { fill: self.root, text: self.text };
        }
        match (look.is_host(), look.is_ancestor()) {
            (true, false) => self.host,
            (true, true) => self.host_ancestor,
            (false, is_ancestor) => Paint { fill: self.tone(look.hue(), is_ancestor), text: self.text },
        }
    }

    fn tone(&self, number: u8, is_ancestor: bool) -> Rgb {
        let at = usize::from(number % N_TONES);
        let Some(Tone { light, dark, hue }) = TONES.get(at) else { return self.root };
        let (lightness, chroma) = if self.is_dark { *dark } else { *light };
        if is_ancestor {
            oklch(self.ancestor.0, chroma * self.ancestor.1, *hue)
        } else {
            oklch(lightness, chroma, *hue)
        }
    }

    /// The least change has a colour, so that it is not taken for none.
    fn changed(&self, change: i8) -> Rgb {
        let (same, all, chroma) = self.change;
        if change == 0 {
            return oklch(same, 0.005, SHRANK);
        }
        let share = 0.12 + 0.88 * f64::from(change.unsigned_abs().min(100)) / 100.0;
        oklch(same + (all - same) * share, chroma * share, if change > 0 { GREW } else { SHRANK })
    }
}

fn oklch(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    oklab(lightness, chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin())
}

/// <https://www.w3.org/TR/css-color-4/#color-conversion-code>
pub(crate) fn oklab(lightness: f64, a: f64, b: f64) -> Rgb {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    Rgb(
        from_linear(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
        from_linear(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
        from_linear(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s),
    )
}

fn from_linear(light: f64) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let coded = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
    let byte = (coded * 255.0).round() as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(byte: u8) -> f64 {
        let coded = f64::from(byte) / 255.0;
        if coded <= 0.040_45 { coded / 12.92 } else { ((coded + 0.055) / 1.055).powf(2.4) }
    }

    fn linears(Rgb(r, g, b): Rgb) -> [f64; 3] {
        [r, g, b].map(linear)
    }

    /// WCAG's.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let luminance = |it: Rgb| linears(it).iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| c * w).sum::<f64>();
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        if one > other { one / other } else { other / one }
    }

    fn guests() -> impl Iterator<Item = Look> {
        (0..N_TONES).map(Look::guest)
    }

    fn looks() -> Vec<Look> {
        let plain = guests().chain([Look::root(), Look::host()]).flat_map(|it| [it, it.ancestor()]);
        let changes = (-100..=100).map(|change| Look::guest(0).changed(change));
        plain.chain(changes).collect()
    }

    #[test]
    fn text_is_readable_on_every_colour() {
        for dark in [false, true] {
            let theme = Theme::of(dark);
            for (look, searching) in
                looks().into_iter().flat_map(|it| [(it, false), (it, true), (it.matched(true), true)])
            {
                let Paint { fill, text } = theme.paint(look, searching);
                let ratio = contrast(fill, text);
                assert!(ratio >= 4.5, "{ratio:.2} of {look:?} when dark is {dark}: {} on {}", text.hex(), fill.hex());
            }
        }
    }

    #[test]
    fn outlines_are_seen_on_every_colour() {
        for dark in [false, true] {
            let theme = Theme::of(dark);
            for look in looks().into_iter().filter(|it| !it.is_host()) {
                let ratio = contrast(theme.paint(look, false).fill, theme.outline);
                assert!(ratio >= 3.0, "{ratio:.2} of {look:?} when dark is {dark}");
            }
        }
    }

    /// As seen without the cones for red, or green: Machado, Oliveira, Fernandes 2009, at full strength.
    const VISIONS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ];

    fn seen(vision: &[[f64; 3]; 3], colour: Rgb) -> [f64; 3] {
        let linear = linears(colour);
        let mixed = vision.map(|row| row.iter().zip(linear).map(|(w, c)| w * c).sum::<f64>().clamp(0.0, 1.0));
        to_oklab(mixed)
    }

    fn to_oklab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
        one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn packages_are_told_apart_with_any_colour_vision() {
        for (dark, vision) in [false, true].into_iter().flat_map(|dark| VISIONS.iter().map(move |it| (dark, it))) {
            let theme = Theme::of(dark);
            let fills: Vec<Rgb> = guests().map(|look| theme.paint(look, false).fill).collect();
            for (at, one) in fills.iter().enumerate() {
                for other in &fills[..at] {
                    let apart = distance(seen(vision, *one), seen(vision, *other));
                    // 0.02 in oklab is a difference that one just sees side by side.
                    assert!(apart > 0.05, "{apart:.3}: {} and {}, dark: {dark}", one.hex(), other.hex());
                }
            }
        }
    }

    #[test]
    fn growth_and_shrinking_differ_with_any_colour_vision() {
        for (dark, vision) in [false, true].into_iter().flat_map(|dark| VISIONS.iter().map(move |it| (dark, it))) {
            let fill = |change| Theme::of(dark).paint(Look::guest(0).changed(change), false).fill;
            assert!(distance(seen(vision, fill(100)), seen(vision, fill(-100))) > 0.1, "dark: {dark}");
            assert!(distance(seen(vision, fill(1)), seen(vision, fill(-1))) > 0.01, "dark: {dark}");
            let reds: Vec<f64> =
                [0, 1, 30, 60, 100].map(|it| distance(seen(vision, fill(it)), seen(vision, fill(0)))).into();
            assert!(reds.is_sorted(), "the more it grew, the redder: {reds:?}");
        }
    }

    #[test]
    fn colours_are_written_as_css_has_them() {
        assert_eq!(oklch(1.0, 0.0, 0.0).hex(), "#ffffff");
        assert_eq!(oklch(0.733, 0.068, 31.0).hex(), "#d0998f");
    }
}
