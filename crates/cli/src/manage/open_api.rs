//! The OpenAPI document of the management API, made from the functions that answer.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::routes;

/// The API of a network that runs.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tocsin management API",
        description = "Behind `tocsin ctl`, the console and scripts. Address and token are in manage.json of a run folder, or in the link that tocsin console prints.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        routes::show_sites,
        routes::show_boxes,
        routes::show_network,
        routes::show_state,
        routes::show_history,
        routes::show_chronicle,
        routes::show_events,
        routes::show_calls,
        routes::show_call,
        routes::show_commands,
        routes::command,
        routes::continue_canary,
        routes::abandon_canary,
        routes::blast_radius,
        routes::inject,
        routes::end_fault,
        routes::arm,
        routes::disarm,
        routes::change_load,
    ),
    components(schemas(super::ChronicleLine)),
    modifiers(&WithToken),
    security(("token" = [])),
)]
#[derive(Debug)]
struct ManagementApi;

/// Every request shows the token.
#[derive(Debug)]
struct WithToken;

impl Modify for WithToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    ManagementApi::openapi()
}
