//! The OpenAPI document: parts from the routes of every domain, put together here.

use std::collections::BTreeMap;

use cierre_kernel::codes::{self, Code};
use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr,
    Response, ResponseBuilder,
};
use utoipa::{IntoParams, ToSchema};

use super::answer::PROBLEM_JSON;

/// The name of the security scheme.
pub(super) const BEARER: &str = "bearer";
/// The name of the schema of what API Gateway answers by itself.
const GATEWAY_REFUSAL: &str = "GatewayRefusal";
/// The name of the error's schema.
const PROBLEM: &str = "Problem";
const INTRODUCTION: &str = include_str!("introduction.md");

/// `limit` and `cursor` of a list; for `params(...)` of a route.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// How many items at most.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Puts the documents of the domains together and adds what they share.
pub fn combine(documents: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Cierre")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .build();
    let mut whole = OpenApiBuilder::new()
        .info(info)
        .paths(Paths::new())
        .components(Some(Components::new()))
        .build();
    for document in documents {
        whole.merge(document);
    }
    let components = whole.components.get_or_insert_default();
    components
        .schemas
        .insert(PROBLEM.to_owned(), RefOr::T(problem_schema()));
    components.schemas.insert(
        GATEWAY_REFUSAL.to_owned(),
        RefOr::T(gateway_refusal_schema()),
    );
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT");
    let bearer = bearer.description(Some("The `accessToken` of `POST /auth/login`"));
    components.security_schemes.insert(
        BEARER.to_owned(),
        RefOr::T(SecurityScheme::Http(bearer.build())),
    );
    let list = Code::all().iter().map(|code| {
        (
            code.to_string(),
            json!({ "status": code.status(), "title": code.title() }),
        )
    });
    let list: Map<String, Value> = list.collect();
    whole
        .extensions
        .get_or_insert_with(Extensions::default)
        .insert("x-problem-codes".to_owned(), Value::Object(list));
    whole
}

/// One response per status, each naming its codes.
pub(super) fn problem_responses(
    refusals: &[Code],
    invalid: &[Code],
) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    let own = refusals.iter().map(|code| (code.status(), *code));
    let of_fields = invalid
        .iter()
        .map(|code| (codes::VALIDATION_FAILED.status(), *code));
    for (status, code) in own.chain(of_fields) {
        let codes = by_status.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    by_status
        .into_iter()
        .map(|(status, codes)| {
            (
                status.to_string(),
                RefOr::T(problem_response(status, &codes)),
            )
        })
        .collect()
}

/// Adds what API Gateway answers by itself, before a function runs or when one does not answer. An HTTP API has no way to give these another
/// form.
pub(super) fn add_gateway_refusals(
    responses: &mut BTreeMap<String, RefOr<Response>>,
    guarded: bool,
    has_path_parameters: bool,
) {
    let refusals = [
        (401, "Unauthorized", guarded),
        // A parameter that holds a slash makes another path, which no route has.
        (404, "Not Found", has_path_parameters),
        (429, "Too Many Requests", true),
        (500, "Internal Server Error", true),
        (503, "Service Unavailable", true),
    ];
    for (status, message, _) in refusals.into_iter().filter(|(.., given)| *given) {
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(message).build()));
        if let RefOr::T(response) = response {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(GATEWAY_REFUSAL)))
                .example(Some(json!({ "message": message })));
            response
                .content
                .insert("application/json".to_owned(), RefOr::T(content.build()));
        }
    }
}

fn problem_response(status: u16, listed: &[Code]) -> Response {
    let lines: Vec<String> = listed
        .iter()
        .map(|code| format!("`{code}`: {}", code.title()))
        .collect();
    let code = listed.first().copied().unwrap_or(codes::INTERNAL);
    let mut example = json!({
        "type": format!("urn:cierre:problem:{code}"),
        "title": code.title(),
        "status": status,
        "code": code,
        "detail": code.title(),
        "correlationId": "01KQ3V9G5ZJ8W4T2N7X6R1M0AB",
    });
    if status == codes::VALIDATION_FAILED.status() && code != codes::IDEMPOTENCY_KEY_REUSED {
        let error = json!([{ "pointer": "/field", "code": code, "detail": code.title() }]);
        example
            .as_object_mut()
            .map(|example| example.insert("errors".to_owned(), error));
    }
    let content: Content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM)))
        .example(Some(example))
        .build();
    ResponseBuilder::new()
        .description(lines.join("; "))
        .content(PROBLEM_JSON, content)
        .build()
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

fn gateway_refusal_schema() -> Schema {
    let refusal = ObjectBuilder::new()
        .description(Some(
            "What the gateway answers by itself: a token that is none, a path that is none, too many requests",
        ))
        .property("message", text("Why, in its words"))
        .required("message");
    Schema::Object(refusal.build())
}

fn problem_schema() -> Schema {
    let listed = Code::all()
        .iter()
        .map(|code| format!("- `{code}` ({}): {}", code.status(), code.title()));
    let listed = listed.collect::<Vec<_>>().join("\n");
    let code = text(&format!(
        "A stable word to branch on; new ones may be added.\n\n{listed}"
    ));
    let code = code
        .enum_values(Some(Code::all().iter().map(|code| code.as_str())))
        .build();
    let field = ObjectBuilder::new()
        .property(
            "pointer",
            text("JSON pointer into the body, or `/` and the name of a query parameter"),
        )
        .required("pointer")
        .property("code", text("Why, as one of the words above"))
        .required("code")
        .property("detail", text("Why, for people"))
        .required("detail");
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("The HTTP status"));
    let problem = ObjectBuilder::new()
        .description(Some("Why a request was refused (RFC 9457)"))
        .property("type", text("`urn:cierre:problem:` and the code"))
        .required("type")
        .property("title", text("The code's sentence, always the same"))
        .required("title")
        .property("status", number)
        .required("status")
        .property("code", code)
        .required("code")
        .property("detail", text("What it means in this case"))
        .required("detail")
        .property("correlationId", text("Name it when asking for help"))
        .required("correlationId")
        .property(
            "errors",
            ArrayBuilder::new()
                .items(field)
                .description(Some("Every wrong field or item")),
        );
    Schema::Object(problem.build())
}
