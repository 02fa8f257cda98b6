//! The routes of the template, of the document and of the contract are the same ones.

use std::collections::BTreeMap;

use cierre_tests::Stack;
use serde_json::Value;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a token.
    Public,
    /// Every user of a company.
    AnyUser,
    /// Users with one of these roles.
    Roles(&'static [&'static str]),
}

/// Every role.
pub(crate) const ROLES: [&str; 8] = [
    "admin",
    "billing",
    "payables",
    "credits",
    "payroll",
    "expenses",
    "supervisor",
    "auditor",
];

impl Access {
    /// The roles that open it.
    pub(crate) fn roles(&self) -> &[&'static str] {
        match self {
            Self::Public | Self::AnyUser => &ROLES,
            Self::Roles(roles) => roles,
        }
    }
}

const READ: Access = Access::Roles(&["admin", "billing", "supervisor", "auditor"]);
const WRITE: Access = Access::Roles(&["admin", "billing"]);
const SETTLE: Access = Access::Roles(&["admin", "billing", "supervisor"]);
const ADMIN: Access = Access::Roles(&["admin"]);
const PAYROLL_READ: Access = Access::Roles(&["payroll", "supervisor", "admin", "auditor"]);
const PAYROLL_WRITE: Access = Access::Roles(&["payroll", "admin"]);
/// The one does what the other must approve; which of the two it is stands in the resource or in the body.
const PAYROLL_SETTLE: Access = Access::Roles(&["payroll", "supervisor", "admin"]);
const PAYROLL_APPROVE: Access = Access::Roles(&["supervisor", "admin"]);
const PAYABLES_READ: Access = Access::Roles(&["payables", "supervisor", "admin", "auditor"]);
const PAYABLES_INTAKE: Access = Access::Roles(&["payables", "admin"]);
const PAYABLES_ASSIGN: Access = Access::Roles(&["payables", "supervisor", "admin"]);
const PAYABLES_REOPEN: Access = Access::Roles(&["supervisor", "admin"]);

/// The contract: every route and who may call it. A new route is written down here, or the tests fail.
pub(crate) const ROUTES: &[(&str, Access)] = &[
    ("GET /api", Access::Public),
    ("GET /api/openapi.json", Access::Public),
    ("GET /health", Access::Public),
    ("GET /health/deep", ADMIN),
    ("POST /auth/login", Access::Public),
    ("POST /auth/challenge", Access::Public),
    ("POST /auth/refresh", Access::Public),
    ("POST /auth/logout", Access::AnyUser),
    ("GET /profile", Access::AnyUser),
    ("GET /company/settings", Access::AnyUser),
    ("PUT /company/settings", ADMIN),
    ("GET /company/settings/billing", READ),
    ("PUT /company/settings/billing", ADMIN),
    (
        "GET /company/users",
        Access::Roles(&["admin", "supervisor", "payables"]),
    ),
    ("GET /activity", Access::AnyUser),
    ("GET /activity/verify", Access::AnyUser),
    ("GET /activity/counts", Access::AnyUser),
    ("POST /customers", WRITE),
    ("GET /customers", READ),
    ("GET /customers/{customerId}", READ),
    ("PATCH /customers/{customerId}", WRITE),
    ("DELETE /customers/{customerId}", WRITE),
    ("POST /services", WRITE),
    ("POST /services/bulk", WRITE),
    ("GET /services", READ),
    ("GET /services/{id}", READ),
    ("PATCH /services/{id}", WRITE),
    ("DELETE /services/{id}", WRITE),
    ("POST /services/send-to-billing", WRITE),
    ("GET /billing-pendings", READ),
    ("GET /billing-pendings/available", READ),
    ("GET /billing-pendings/summary", READ),
    ("GET /billing-pendings/{id}", READ),
    ("DELETE /billing-pendings/{id}", WRITE),
    ("POST /billing-batches", WRITE),
    ("POST /billing-batches/sync", WRITE),
    ("GET /billing-batches", READ),
    ("GET /billing-batches/{id}", READ),
    ("GET /billing-batches/{id}/status", READ),
    ("GET /billing-batches/{id}/failed-pendings", READ),
    ("POST /billing-batches/{id}/retry", WRITE),
    ("GET /billing-batches/queue/stats", READ),
    ("GET /billing-batches/receipt-books", READ),
    ("GET /billing-batches/next-invoice-number/{book}", READ),
    ("GET /receipt-books/{book}/verify", READ),
    ("GET /invoices", READ),
    ("GET /invoices/by-customer/{customerId}", READ),
    ("GET /invoices/by-batch/{id}", READ),
    ("GET /invoices/{id}", READ),
    ("POST /invoices/{id}/credit-note", WRITE),
    ("GET /invoices/{id}/credit-notes", READ),
    ("GET /invoices/{id}/document", READ),
    ("POST /erp-sync/preview", READ),
    ("POST /erp-sync/invoices", WRITE),
    ("POST /erp-sync/batch", WRITE),
    ("GET /erp-sync/history", READ),
    ("GET /erp-sync/{syncId}", READ),
    ("GET /erp-sync/{syncId}/refused", READ),
    ("POST /erp-sync/confirm/{syncId}", SETTLE),
    ("POST /erp-sync/cancel/{syncId}", SETTLE),
    ("GET /invoices/number/{number}", READ),
    ("GET /invoices/statistics", READ),
    ("POST /api/nomina/clientes", PAYROLL_WRITE),
    ("GET /api/nomina/clientes", PAYROLL_READ),
    ("GET /api/nomina/clientes/{id}", PAYROLL_READ),
    ("PATCH /api/nomina/clientes/{id}", PAYROLL_WRITE),
    ("POST /api/nomina/cierres", PAYROLL_WRITE),
    ("GET /api/nomina/cierres", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}", PAYROLL_READ),
    ("DELETE /api/nomina/cierres/{id}", PAYROLL_WRITE),
    ("POST /api/nomina/cierres/{id}/archivos", PAYROLL_WRITE),
    ("GET /api/nomina/cierres/{id}/archivos", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}/archivos/{aid}", PAYROLL_READ),
    (
        "DELETE /api/nomina/cierres/{id}/archivos/{aid}",
        PAYROLL_WRITE,
    ),
    (
        "POST /api/nomina/cierres/{id}/archivos/{aid}/reprocesar",
        PAYROLL_WRITE,
    ),
    (
        "GET /api/nomina/cierres/{id}/archivos/{aid}/errores",
        PAYROLL_READ,
    ),
    (
        "GET /api/nomina/cierres/{id}/archivos/{aid}/columnas",
        PAYROLL_READ,
    ),
    ("GET /api/nomina/cierres/{id}/empleados", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}/registros", PAYROLL_READ),
    ("POST /api/nomina/cierres/{id}/discrepancias", PAYROLL_WRITE),
    ("GET /api/nomina/cierres/{id}/discrepancias", PAYROLL_READ),
    (
        "GET /api/nomina/cierres/{id}/discrepancias/{did}",
        PAYROLL_READ,
    ),
    (
        "POST /api/nomina/cierres/{id}/discrepancias/{did}/corregir",
        PAYROLL_SETTLE,
    ),
    ("POST /api/nomina/cierres/{id}/incidencias", PAYROLL_WRITE),
    ("GET /api/nomina/cierres/{id}/incidencias", PAYROLL_READ),
    (
        "GET /api/nomina/cierres/{id}/incidencias/{iid}",
        PAYROLL_READ,
    ),
    (
        "POST /api/nomina/cierres/{id}/incidencias/{iid}/resolver",
        PAYROLL_WRITE,
    ),
    (
        "POST /api/nomina/cierres/{id}/incidencias/{iid}/aprobar",
        PAYROLL_APPROVE,
    ),
    (
        "POST /api/nomina/cierres/{id}/incidencias/{iid}/rechazar",
        PAYROLL_APPROVE,
    ),
    (
        "POST /api/nomina/cierres/{id}/incidencias/lote",
        PAYROLL_SETTLE,
    ),
    ("POST /api/nomina/cierres/{id}/finalizar", PAYROLL_WRITE),
    ("POST /api/nomina/cierres/{id}/reabrir", PAYROLL_APPROVE),
    ("GET /api/nomina/cierres/{id}/sellos", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}/sellos/{n}", PAYROLL_READ),
    (
        "GET /api/nomina/cierres/{id}/sellos/{n}/diferencias",
        PAYROLL_READ,
    ),
    ("GET /api/nomina/cierres/{id}/libro", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}/timeline", PAYROLL_READ),
    ("GET /api/nomina/cierres/{id}/errores", PAYROLL_READ),
    ("GET /api/nomina/actividad", PAYROLL_READ),
    ("GET /api/nomina/cuarentena", PAYROLL_READ),
    ("GET /api/nomina/trabajos/{id}", PAYROLL_READ),
    ("POST /facturas", PAYABLES_INTAKE),
    ("GET /facturas", Access::AnyUser),
    ("POST /facturas/lote", PAYABLES_INTAKE),
    ("POST /facturas/historico", ADMIN),
    ("POST /facturas/cargas", PAYABLES_INTAKE),
    ("GET /facturas/cargas/{id}", PAYABLES_READ),
    ("GET /facturas/rechazos-ingreso", PAYABLES_READ),
    ("GET /facturas/bandeja", Access::AnyUser),
    ("GET /facturas/{id}", Access::AnyUser),
    ("DELETE /facturas/{id}", PAYABLES_INTAKE),
    ("GET /facturas/{id}/historial", Access::AnyUser),
    // Whether a user may decide depends on the factura.
    ("POST /facturas/{id}/aprobar", Access::AnyUser),
    ("POST /facturas/{id}/rechazar", Access::AnyUser),
    ("POST /facturas/{id}/reabrir", PAYABLES_REOPEN),
    ("POST /facturas/{id}/asignar", PAYABLES_ASSIGN),
    ("POST /facturas/decisiones", Access::AnyUser),
    // Those who asked for it, and readers; an admin too may retry it.
    ("GET /facturas/trabajos/{id}", Access::AnyUser),
    ("GET /facturas/trabajos/{id}/resultados", Access::AnyUser),
    ("POST /facturas/trabajos/{id}/reintentar", Access::AnyUser),
    ("GET /facturas/dashboard", PAYABLES_READ),
    ("GET /facturas/dashboard/responsables", PAYABLES_READ),
    ("GET /facturas/dashboard/acciones", PAYABLES_READ),
    ("GET /facturas/consistencia", PAYABLES_READ),
    ("POST /facturas/consistencia", ADMIN),
    ("POST /facturas/consistencia/reparar", ADMIN),
    ("POST /facturas/recordatorios", ADMIN),
    ("GET /facturas/politica", PAYABLES_READ),
    ("PUT /facturas/politica", ADMIN),
    ("GET /asignaciones", PAYABLES_READ),
    ("GET /asignaciones/{nit}", PAYABLES_READ),
    ("PUT /asignaciones/{nit}", PAYABLES_ASSIGN),
    ("DELETE /asignaciones/{nit}", PAYABLES_INTAKE),
    ("POST /delegaciones", Access::AnyUser),
    ("GET /delegaciones", Access::AnyUser),
    ("DELETE /delegaciones/{id}", Access::AnyUser),
];

/// Files of the page at `/api`; they are no part of the API.
const ASSETS: &str = "GET /api/{asset+}";
/// Where payroll's paths arrive that end in a slash; they are no routes of their own.
const WITH_A_SLASH: [&str; 4] = [
    "GET /api/nomina/{path+}",
    "POST /api/nomina/{path+}",
    "PATCH /api/nomina/{path+}",
    "DELETE /api/nomina/{path+}",
];

type Guarded = BTreeMap<String, bool>;

fn contract() -> Guarded {
    ROUTES
        .iter()
        .map(|(route, access)| ((*route).to_owned(), *access != Access::Public))
        .collect()
}

/// Every operation of the document, by `METHOD /path`.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        let methods = methods.filter(|(method, _)| {
            ["get", "put", "post", "patch", "delete"].contains(&method.as_str())
        });
        methods.map(move |(method, operation)| {
            (
                format!("{} {path}", method.to_uppercase()),
                operation.clone(),
            )
        })
    });
    operations.collect()
}

#[test]
fn the_template_has_exactly_the_routes_of_the_contract() {
    let template =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let mut routes = Guarded::new();
    for line in template.lines() {
        let Some((_, rest)) = line.split_once("RouteKey: \"") else {
            continue;
        };
        let (route, rest) = rest.split_once('"').unwrap();
        let guarded = rest.contains("AuthorizationType: JWT, AuthorizerId: !Ref ApiAuthorizer");
        assert!(
            guarded || rest.contains("AuthorizationType: NONE"),
            "{route} says nothing about its authorizer"
        );
        assert!(
            routes.insert(route.to_owned(), guarded).is_none(),
            "{route} is there twice"
        );
    }
    assert_eq!(routes.remove(ASSETS), Some(false));
    for route in WITH_A_SLASH {
        assert_eq!(routes.remove(route), Some(true), "{route}");
    }
    assert_eq!(routes, contract());
}

#[tokio::test]
async fn the_document_has_exactly_the_routes_of_the_contract() {
    let document = Stack::connect().await.document().await;
    let routes: Guarded = operations(&document)
        .into_iter()
        .map(|(route, operation)| {
            (
                route,
                operation["security"]
                    .as_array()
                    .is_none_or(|needed| !needed.is_empty()),
            )
        })
        .collect();
    assert_eq!(routes, contract());
}

#[tokio::test]
async fn the_document_says_who_may_call_a_route() {
    let document = Stack::connect().await.document().await;
    let operations = operations(&document);
    for (route, access) in ROUTES {
        let said = &operations[*route]["x-roles"];
        match access {
            Access::Public => assert!(said.is_null(), "{route}: {said}"),
            Access::AnyUser | Access::Roles(_) => {
                let mut roles = access.roles().to_vec();
                let mut said: Vec<&str> = said
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|role| role.as_str().unwrap())
                    .collect();
                roles.sort_unstable();
                said.sort_unstable();
                assert_eq!(said, roles, "{route}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_of_use_to_a_stranger() {
    let document = Stack::connect().await.document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (route, operation) in operations(&document) {
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{route} says nothing"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{route} never succeeds"
        );
        assert!(
            responses.contains_key("500") || route.contains("/api"),
            "{route} names no errors"
        );
    }
    let codes = document["x-problem-codes"].as_object().unwrap();
    for code in cierre_kernel::codes::ALL {
        assert_eq!(codes[code.as_str()]["status"], code.status(), "{code}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let stack = Stack::connect().await;
    let page = stack.anonymous().get("/api").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://"),
        "{}",
        page.text
    );
}
