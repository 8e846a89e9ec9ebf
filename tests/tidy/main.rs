//! Rules of the repository that no compiler checks.
//!
//! | file | holds that |
//! |---|---|
//! | `circles.rs` | files of a crate do not import each other in a circle |
//! | `documents.rs` | documents and examples agree with what is there |
//! | `fences.rs` | a library that may be replaced is known in one file |
//! | `layers.rs` | arrows go down, fences hold, no dependency is idle |
//! | `links.rs` | what a document points to is there |
//! | `purity.rs` | pure crates reach no socket, no task and no clock |
//! | `style.rs` | files are short and names say what a thing is |

mod circles;
mod documents;
mod fences;
mod imports;
mod layers;
mod links;
mod purity;
mod repository;
mod style;
mod workspace;
