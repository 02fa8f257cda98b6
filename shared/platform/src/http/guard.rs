//! Who may call a route. Enforcement and documentation come from the same value, so they cannot disagree.
//!
//! ```
//! use axum::response::IntoResponse;
//! use cierre_kernel::{codes, role::{Role, Roles}};
//! use cierre_platform::http::{Caller, Routes, Segment, Served, allow};
//! use cierre_platform::route;
//!
//! const READ: Roles = Roles::of(&[Role::Billing, Role::Auditor]);
//!
//! /// One customer.
//! #[utoipa::path(get, path = "/customers/{customerId}", tag = "Customers", params(("customerId" = i64, Path)))]
//! async fn get_customer(caller: Caller, Segment(id): Segment<i64>) -> impl IntoResponse {
//!     format!("{id} of {}", caller.context.company)
//! }
//!
//! fn router<S: Clone + Send + Sync + 'static, R: Routes<S>>() -> R {
//!     R::default().route(allow(READ).refuses(&[codes::NOT_FOUND]).on(route!(get_customer)))
//! }
//! # let _ = router::<(), Served<()>>();
//! ```

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use cierre_kernel::codes::{self, Code};
use cierre_kernel::problem::Problem;
use cierre_kernel::role::{Role, Roles};
use lambda_http::request::RequestContext;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, RefOr, Required, SecurityRequirement};

use super::app::Arrival;
use super::caller;
use super::document::{BEARER, add_gateway_refusals, problem_responses};
use crate::error::Result;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody, without a token.
    Public,
    /// Every user of a company, even one without any role.
    AnyUser,
    /// Users with at least one of these roles.
    Roles(Roles),
}

/// The rule of one or more routes: who may call them and which refusals they answer besides the common ones.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Rule {
    pub(super) access: Access,
    refusals: &'static [Code],
    invalid: &'static [Code],
    versioned: bool,
    keyless: bool,
}

/// Users with at least one of these roles.
pub const fn allow(roles: Roles) -> Rule {
    Rule::new(Access::Roles(roles))
}

/// Every user of a company, whatever the roles.
pub const fn allow_any_user() -> Rule {
    Rule::new(Access::AnyUser)
}

/// Anybody, without a token.
pub const fn allow_public() -> Rule {
    Rule::new(Access::Public)
}

impl Rule {
    const fn new(access: Access) -> Self {
        Self {
            access,
            refusals: &[],
            invalid: &[],
            versioned: false,
            keyless: false,
        }
    }

    /// Refusals of this route, each under its code's own status.
    pub const fn refuses(mut self, codes: &'static [Code]) -> Self {
        self.refusals = codes;
        self
    }

    /// Codes that this route gives to single fields, besides the common ones; they are 422.
    pub const fn invalid(mut self, codes: &'static [Code]) -> Self {
        self.invalid = codes;
        self
    }

    /// The route honours `If-Match`.
    pub const fn versioned(mut self) -> Self {
        self.versioned = true;
        self
    }

    /// A POST that needs no idempotency key, because a repeat has no further effect.
    pub const fn keyless(mut self) -> Self {
        self.keyless = true;
        self
    }

    /// Writes the rule into the documentation of a route that it stands before; `post` says whether the route is a POST.
    pub(super) fn describe(self, operation: &mut Operation, post: bool) {
        let keyed = post && self.access != Access::Public && !self.keyless;
        if post {
            operation.request_body.get_or_insert_with(nothing);
        }
        let mut refusals = self.refusals.to_vec();
        let mut invalid = self.invalid.to_vec();
        let parameters = operation.parameters.get_or_insert_default();
        let has = |place: ParameterIn, name: Option<&str>| {
            parameters.iter().any(|parameter| match parameter {
                RefOr::T(parameter) => {
                    parameter.parameter_in == place
                        && name.is_none_or(|name| parameter.name == name)
                }
                RefOr::Ref(_) => false,
            })
        };
        if has(ParameterIn::Query, None) {
            invalid.extend([
                codes::UNKNOWN_FIELD,
                codes::DUPLICATE_ITEMS,
                codes::INVALID_TYPE,
                codes::INVALID_FORMAT,
                codes::OUT_OF_RANGE,
            ]);
        }
        if has(ParameterIn::Query, Some("cursor")) {
            refusals.push(codes::BAD_CURSOR);
        }
        if operation.request_body.is_some() {
            refusals.extend([
                codes::NOT_JSON,
                codes::TOO_LARGE,
                codes::UNSUPPORTED_MEDIA_TYPE,
            ]);
            invalid.extend([
                codes::UNKNOWN_FIELD,
                codes::DUPLICATE_ITEMS,
                codes::REQUIRED,
                codes::INVALID_TYPE,
                codes::OUT_OF_RANGE,
            ]);
        }
        if keyed {
            refusals.extend([
                codes::INVALID_HEADER,
                codes::REQUEST_IN_PROGRESS,
                codes::IDEMPOTENCY_KEY_REUSED,
            ]);
            parameters.push(header("Idempotency-Key", "1 to 255 visible ASCII characters; a repeat within 24 hours answers what the first request answered"));
        }
        if self.versioned {
            refusals.extend([codes::INVALID_HEADER, codes::VERSION_MISMATCH]);
            parameters.push(header(
                "If-Match",
                "The `ETag` of the version that the change is meant for",
            ));
        }
        match self.access {
            Access::Public => operation.security = Some(vec![]),
            Access::AnyUser => {
                refusals.extend([codes::UNAUTHENTICATED, codes::COMPANY_MISSING]);
                protect(operation, Roles::of(&Role::ALL));
            }
            Access::Roles(roles) => {
                refusals.extend([
                    codes::UNAUTHENTICATED,
                    codes::COMPANY_MISSING,
                    codes::WRONG_ROLE,
                ]);
                protect(operation, roles);
            }
        }
        refusals.push(codes::INTERNAL);
        let in_path = has_path_parameters(operation);
        let responses = &mut operation.responses.responses;
        responses.extend(problem_responses(&refusals, &invalid));
        add_gateway_refusals(responses, self.access != Access::Public, in_path);
    }
}

fn has_path_parameters(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Path,
            RefOr::Ref(_) => false,
        })
}

/// The body of a command without parameters: none, or an object without fields.
fn nothing() -> RefOr<RequestBody> {
    let empty = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let body = RequestBodyBuilder::new()
        .description(Some("Nothing, or an object without fields"))
        .content(
            "application/json",
            Content::new(Some(Schema::Object(empty.build()))),
        )
        .required(Some(Required::False));
    RefOr::T(body.build())
}

/// The authorisation test of the API reads `x-roles` and tries every route with every role.
fn protect(operation: &mut Operation, roles: Roles) {
    let names: Vec<&str> = roles.iter().map(Role::as_str).collect();
    let bearer = SecurityRequirement::new(BEARER, Vec::<String>::new());
    operation.security = Some(vec![bearer]);
    let extensions = operation.extensions.get_or_insert_default();
    extensions.insert("x-roles".to_owned(), names.into());
}

fn header(name: &str, description: &str) -> RefOr<Parameter> {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text))
        .build();
    RefOr::T(parameter)
}

/// Lets the request pass or answers 401 or 403, before anything of it is read.
pub(super) async fn guard(
    State(access): State<Access>,
    mut request: Request,
    next: Next,
) -> Result<Response> {
    if access != Access::Public {
        let arrival = Arrival::of(request.extensions());
        let gateway = request.extensions().get::<RequestContext>();
        let context = caller::context(gateway, arrival.correlation_id, arrival.now)?;
        tracing::Span::current().record("company_id", context.company.as_str());
        match access {
            Access::Public | Access::AnyUser => {}
            Access::Roles(allowed) if context.roles.any(allowed) => {}
            Access::Roles(_) => return Err(Problem::new(codes::WRONG_ROLE).into()),
        }
        request.extensions_mut().insert(context);
    }
    Ok(next.run(request).await)
}
