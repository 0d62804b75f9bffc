//! Closed lists of names.

/// An enum whose members are stored by their names, which are those in JSON, too.
macro_rules! names {
    ($(#[$doc:meta])* $list:ident as $schema:ident { $($(#[$item_doc:meta])* $item:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        #[schema(as = $schema)]
        pub enum $list {
            $($(#[$item_doc])* $item,)*
        }

        impl $list {
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$item),*];

            /// As it is stored.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$item => $name,)*
                }
            }

            /// The one of this name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$item),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use names;
