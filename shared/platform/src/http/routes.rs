//! Routes, told once and used twice: what serves them ([`Served`]) knows nothing of their documentation, and what documents them
//! ([`Described`]) knows nothing of their handlers.
//!
//! So a function of the API neither builds a document of hundreds of objects before its first request nor carries the code for it, and the
//! function that shows the document does not carry the domains.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::{InfoBuilder, OpenApi, Paths};

use super::guard::{Rule, guard};

pub use pastey::paste;

/// A handler under its [`macro@utoipa::path`], for [`Rule::on`].
#[macro_export]
macro_rules! route {
    ($handler:ident) => {
        $crate::http::Route::new(
            || $crate::http::paste! { $crate::http::serve::<[<__path_ $handler>], _, _, _>($handler) },
            || {
                #[derive(utoipa::OpenApi)]
                #[openapi(paths($handler))]
                struct Document;
                <Document as utoipa::OpenApi>::openapi()
            },
        )
    };
}

/// A handler and its documentation, of which neither is made yet.
#[derive(Debug)]
#[must_use]
pub struct Route<H, D> {
    serve: H,
    describe: D,
}

impl<H, D> Route<H, D> {
    /// What [`route!`](crate::route) writes.
    pub const fn new(serve: H, describe: D) -> Self {
        Self { serve, describe }
    }
}

/// A route behind its rule.
#[derive(Debug)]
#[must_use]
pub struct Ruled<H, D> {
    rule: Rule,
    route: Route<H, D>,
}

impl Rule {
    /// Puts the rule before the handler and into its documentation.
    pub const fn on<H, D>(self, route: Route<H, D>) -> Ruled<H, D> {
        Ruled { rule: self, route }
    }
}

/// A path and what answers there.
pub type Handled<S> = (String, MethodRouter<S>);

/// The handler under the path and the methods of its documentation `P`.
pub fn serve<P, H, T, S>(handler: H) -> Handled<S>
where
    P: utoipa::Path,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let methods = P::methods().into_iter();
    let handlers = methods.fold(MethodRouter::new(), |handlers, method| {
        handlers.on(filter(method), handler.clone())
    });
    (P::path(), handlers)
}

const fn filter(method: HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// What routes over the state `S` are collected in.
pub trait Routes<S>: Default {
    /// One more.
    #[must_use]
    fn route<H, D>(self, ruled: Ruled<H, D>) -> Self
    where
        H: FnOnce() -> Handled<S>,
        D: FnOnce() -> OpenApi;

    /// All of another collection.
    #[must_use]
    fn merge(self, others: Self) -> Self;
}

/// Routes that answer requests. They are put into a router at the end, each once: merging routers would put them in again and again.
#[derive(Debug)]
pub struct Served<S>(Vec<Handled<S>>);

impl<S> Default for Served<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> for Served<S> {
    fn route<H, D>(mut self, ruled: Ruled<H, D>) -> Self
    where
        H: FnOnce() -> Handled<S>,
        D: FnOnce() -> OpenApi,
    {
        let (path, handlers) = (ruled.route.serve)();
        let guard = from_fn_with_state(ruled.rule.access, guard);
        self.0.push((path, handlers.route_layer(guard)));
        self
    }

    fn merge(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Served<S> {
    /// The routes with what they work with.
    pub fn with_state(self, state: S) -> Router {
        let routes = self.0.into_iter();
        routes.fold(Router::new(), |router, (path, handlers)| {
            router.route(&path, handlers.with_state(state.clone()))
        })
    }
}

/// Routes that are documented.
pub struct Described(OpenApi);

impl Default for Described {
    fn default() -> Self {
        Self(OpenApi::new(InfoBuilder::new().build(), Paths::new()))
    }
}

impl<S> Routes<S> for Described {
    fn route<H, D>(mut self, ruled: Ruled<H, D>) -> Self
    where
        H: FnOnce() -> Handled<S>,
        D: FnOnce() -> OpenApi,
    {
        let mut document = (ruled.route.describe)();
        for item in document.paths.paths.values_mut() {
            let PathItem {
                get,
                put,
                post,
                delete,
                patch,
                ..
            } = item;
            for operation in [get, put, delete, patch].into_iter().flatten() {
                ruled.rule.describe(operation, false);
            }
            for operation in post.iter_mut() {
                ruled.rule.describe(operation, true);
            }
        }
        self.0.merge(document);
        self
    }

    fn merge(mut self, others: Self) -> Self {
        self.0.merge(others.0);
        self
    }
}

impl Described {
    /// The document, to be put together with others ([`super::combine`]).
    pub fn into_openapi(self) -> OpenApi {
        self.0
    }
}
