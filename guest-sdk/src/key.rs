//! What values of a profile are told apart by.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::ptr::NonNull;

/// What tells one value of a [`Profile`](crate::Profile) from another: a number. Go compares the values.
///
/// Integers are their own number. What points is the address that it points to: `&connection` is that of the box where
/// `connection` is a `Box`, and that of the connection where it is a reference. Values without a size have no address of
/// their own.
#[diagnostic::on_unimplemented(
    message = "a value of a profile is an integer or points to something",
    label = "neither an integer, nor a reference, pointer, `Box`, `Rc` or `Arc`",
    note = "if it does not move while it is in the profile, pass `&&value`"
)]
pub trait Key {
    /// The number. It must not change while the value is in a profile.
    fn key(&self) -> i64;
}

/// All that have 64 bits at most; equal numbers of different types are one value.
macro_rules! integers {
    ($($type:ty: $number:expr;)*) => {
        $(impl Key for $type {
            #[inline]
            fn key(&self) -> i64 {
                let number: fn(Self) -> i64 = $number;
                number(*self)
            }
        })*
    };
}

integers! {
    i8: i64::from;
    i16: i64::from;
    i32: i64::from;
    i64: |it| it;
    isize: |it| it as i64;
    u8: i64::from;
    u16: i64::from;
    u32: i64::from;
    u64: u64::cast_signed;
    usize: |it| it as i64;
}

/// Where something is, as a number.
#[inline]
pub(crate) fn address<T: ?Sized>(at: *const T) -> i64 {
    at.addr() as i64
}

macro_rules! pointers {
    ($($type:ty: $at:expr;)*) => {
        $(impl<T: ?Sized> Key for $type {
            #[inline]
            fn key(&self) -> i64 {
                let at: fn(&Self) -> *const T = $at;
                address(at(self))
            }
        })*
    };
}

pointers! {
    &T: |it| *it;
    &mut T: |it| *it;
    *const T: |it| *it;
    *mut T: |it| *it;
    NonNull<T>: |it| it.as_ptr();
    Box<T>: |it| &raw const **it;
    Rc<T>: |it| Rc::as_ptr(it);
    Arc<T>: |it| Arc::as_ptr(it);
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use core::ptr::NonNull;

    use super::Key;

    #[test]
    fn integers_are_their_own_keys() {
        assert_eq!([(-1_i8).key(), 255_u8.key(), u64::MAX.key(), 7_usize.key()], [-1, 255, -1, 7]);
    }

    #[test]
    fn what_points_to_the_same_has_the_same_key() {
        let value = Box::new([1, 2]);
        let first: *const [i32; 2] = &raw const *value;
        let at = first.addr() as i64;
        let slice: *const [i32] = first;
        assert_eq!([value.key(), first.key(), slice.key(), (&*value).key()], [at; 4]);
        assert_eq!([NonNull::from(&*value).key(), NonNull::from(&value[..]).key(), (&value[..]).key()], [at; 3]);
        let shared = Rc::<str>::from("text");
        assert_eq!(shared.key(), Rc::clone(&shared).key());
        assert_ne!(shared.key(), Rc::<str>::from("text").key());
    }
}
