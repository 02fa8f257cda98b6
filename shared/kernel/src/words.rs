//! Enums whose values are words on the wire.

/// A word that names no value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

#[doc(hidden)]
pub use serde;

/// Declares an enum each of whose values is a word, so that the word is written once: it is what `as_str` and `Display` show, what `FromStr`
/// reads, and what serde stores. `ALL` lists the values as they are declared.
///
/// ```
/// cierre_kernel::words! {
///     /// A light.
///     pub enum Light {
///         /// Stop.
///         Red = "RED",
///         /// Go.
///         Green = "GREEN",
///     }
/// }
///
/// assert_eq!(Light::Red.as_str(), "RED");
/// assert_eq!("GREEN".parse(), Ok(Light::Green));
/// assert_eq!(Light::ALL, [Light::Red, Light::Green]);
/// ```
#[macro_export]
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$inner:meta])* $variant:ident = $word:literal,)+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$inner])* $variant,)+
        }

        impl $name {
            /// Every value.
            $vis const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word on the wire.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> ::std::result::Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::words::UnknownWord),
                }
            }
        }

        impl $crate::words::serde::Serialize for $name {
            fn serialize<S: $crate::words::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::words::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::words::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let word = <::std::string::String as $crate::words::serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(|_| {
                    let expected = &concat!("a word of ", stringify!($name));
                    $crate::words::serde::de::Error::invalid_value(
                        $crate::words::serde::de::Unexpected::Str(&word),
                        expected,
                    )
                })
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::UnknownWord;

    crate::words! {
        /// Of the tests.
        #[derive(Default)]
        enum Light {
            /// Stop.
            #[default]
            Red = "RED",
            /// Go.
            Green = "ALL_CLEAR",
        }
    }

    #[test]
    fn a_value_is_its_word_wherever_it_goes() {
        assert_eq!(Light::default(), Light::Red);
        for light in Light::ALL {
            let word = light.as_str();
            assert_eq!(light.to_string(), word);
            assert_eq!(word.parse(), Ok(light));
            let json = serde_json::to_string(&light).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<Light>(&json).unwrap(), light);
        }
    }

    #[test]
    fn other_words_are_refused() {
        assert_eq!("red".parse::<Light>(), Err(UnknownWord));
        let refused = serde_json::from_str::<Light>("\"BLUE\"").unwrap_err();
        assert!(refused.to_string().contains("a word of Light"), "{refused}");
    }
}
