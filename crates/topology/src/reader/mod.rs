//! Reads a TOML file into types and reports every mistake at once.
//!
//! A [`Document`] is the file with its [`Layers`] applied. [`Table`] hands out values by key and
//! [`kind`]; a refused value is reported and replaced by a placeholder, so reading goes on. A key
//! that no reader asked for is a mistake too.
//!
//! ```
//! use topology::reader::{Document, Layers, kind};
//!
//! let document = Document::parse("lab.toml", "circuit = 4", &Layers::none())?;
//! let circuits = document.read(|root| root.or("circuits", kind::count(1..=100), 30));
//! let problems = document.finish(circuits).expect_err("the key is misspelt").to_string();
//! assert_eq!(problems, r#"lab.toml:1: unknown key "circuit"; did you mean "circuits"?"#);
//! # Ok::<(), topology::Problems>(())
//! ```

mod document;
pub mod kind;
mod layers;
mod lines;
pub(crate) mod suggestion;
mod table;
mod written;

pub use self::document::Document;
pub use self::kind::Raw;
pub use self::layers::Layers;
pub use self::suggestion::nearest;
pub use self::table::Table;
