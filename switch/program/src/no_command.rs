//! What boxes say to orders that are for others.

use contract::BoxOrder;

pub(crate) fn no_command(_order: BoxOrder) -> Result<std::convert::Infallible, String> {
    Err("this box takes no commands".to_owned())
}
