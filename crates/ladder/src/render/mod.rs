//! A story, drawn.

mod difference;
mod html;
mod json;
mod markdown;
mod mermaid;
mod message;
pub(crate) mod phrases;
mod svg;
mod text;

pub use difference::difference;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use mermaid::mermaid;
pub use message::message;
pub use svg::svg;
pub use text::{Screen, text};
