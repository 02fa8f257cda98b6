//! A client's first month from its beginning to its seal, by either way into the bucket, and everything that is told of it.

use cierre_kernel::canonical::{canonical_json, sha256_hex};
use cierre_tests::{Closing, Company, GOLDEN, keys, movimientos};
use rstest::rstest;
use serde_json::{Value, json};

/// The digest that the contract gives of the exported book.
const EXPORTED: &str = "6488ec0aed14a3c20da8eaee9d3eeea2e36c2e2999056c4a5622638792a34a7c";
/// Kinds of discrepancies that need more than the two mandatory files, in alphabetical order.
const NOT_EVALUATED: [&str; 6] = [
    "ausencia_no_reportada",
    "diff_concepto_monto",
    "empleado_solo_libro",
    "empleado_solo_novedades",
    "finiquito_no_reportado",
    "ingreso_no_reportado",
];
/// Every kind of discrepancy, none found.
fn no_discrepancies() -> Value {
    json!({
        "rut_duplicado": 0, "sueldo_cero": 0, "formato_invalido": 0, "identidad_lre": 0, "empleado_solo_libro": 0,
        "empleado_solo_novedades": 0, "diff_concepto_monto": 0, "ingreso_no_reportado": 0, "finiquito_no_reportado": 0,
        "ausencia_no_reportada": 0,
    })
}

/// How files come into the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Announced, and put to the signed address.
    Upload,
    /// Put by somebody with S3 tools.
    Drop,
}

impl Way {
    async fn bring(self, closing: &Closing, tipo: &str, nombre: &str, bytes: &[u8]) -> String {
        let file = match self {
            Self::Upload => closing.upload(tipo, nombre, bytes).await,
            Self::Drop => closing.dropped(tipo, nombre, bytes).await,
        };
        assert_eq!(file["estado"], "procesado", "{file}");
        let origin = match self {
            Self::Upload => "api",
            Self::Drop => "s3",
        };
        assert_eq!(file["origen"], origin);
        assert_eq!(file["hash"], sha256_hex(bytes));
        assert_eq!(file["tamano"], bytes.len());
        file["id"].as_str().unwrap().to_owned()
    }

    fn uploader(self, company: &Company) -> String {
        match self {
            Self::Upload => company.username("payroll"),
            Self::Drop => "sistema".to_owned(),
        }
    }

    fn key(self, closing: &Closing, tipo: &str, id: &str, nombre: &str) -> String {
        match self {
            Self::Upload => closing.key(tipo, &format!("{id}/{nombre}")),
            Self::Drop => closing.key(tipo, nombre),
        }
    }
}

/// A file of the story.
struct Brought {
    tipo: &'static str,
    id: String,
    nombre: &'static str,
    bytes: Vec<u8>,
}

/// What a row of the timeline must say: type, action, resource type, resource, user, details. Texts and times that the contract leaves open are
/// `"…"` and 0.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    String,
    String,
    Value,
);

fn row(event: &Value) -> Value {
    assert_eq!(
        keys(event),
        [
            "action",
            "details",
            "event_type",
            "id",
            "resource_id",
            "resource_type",
            "timestamp",
            "user"
        ]
    );
    let mut details = event["details"].clone();
    if event["action"] == "estado_actualizado" {
        assert!(
            details["motivo"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{event}"
        );
        details["motivo"] = json!("…");
    }
    if event["action"] == "procesamiento_completado" {
        assert!(details["duracion_segundos"].is_number(), "{event}");
        details["duracion_segundos"] = json!(0);
    }
    let member = |name: &str| event[name].clone();
    json!([
        member("event_type"),
        member("action"),
        member("resource_type"),
        member("resource_id"),
        member("user"),
        details
    ])
}

fn moved(closing: &Closing, user: &str, from: &str, to: &str) -> Row {
    let details = json!({ "estado_anterior": from, "estado_nuevo": to, "motivo": "…" });
    (
        "update",
        "estado_actualizado",
        "cierre_nomina",
        closing.id.clone(),
        user.to_owned(),
        details,
    )
}

/// The events of a file's way into force, without what the closing's state does.
fn way_of(
    way: Way,
    company: &Company,
    file: &Brought,
    headers: u32,
    rows: u32,
    valid: Value,
) -> Vec<Row> {
    let uploader = way.uploader(company);
    let size = file.bytes.len();
    let origin = if way == Way::Upload { "api" } else { "s3" };
    let mut rows_of = Vec::new();
    let mut tell = |event_type, action, user: &str, details| {
        rows_of.push((
            event_type,
            action,
            file.tipo,
            file.id.clone(),
            user.to_owned(),
            details,
        ));
    };
    if way == Way::Upload {
        let details = json!({ "archivo_nombre": file.nombre, "archivo_size": size });
        tell("upload", "upload_iniciado", &uploader, details);
    }
    let details = json!({ "archivo_nombre": file.nombre, "archivo_size": size, "origen": origin });
    tell("upload", "archivo_subido", &uploader, details);
    tell("upload", "archivo_validado", &uploader, valid);
    let details = json!({ "archivo_nombre": file.nombre });
    tell("process", "procesamiento_iniciado", "sistema", details);
    let details = json!({ "headers_detectados": headers, "registros_procesados": rows, "duracion_segundos": 0 });
    tell("process", "procesamiento_completado", "sistema", details);
    rows_of
}

fn expected(way: Way, closing: &Closing, files: &[Brought; 2], seal: &Value) -> Vec<Row> {
    let company = &closing.company;
    let analyst = company.username("payroll");
    let uploader = way.uploader(company);
    let [libro, movimientos] = files;
    let cierre = |event_type, action, details| {
        (
            event_type,
            action,
            "cierre_nomina",
            closing.id.clone(),
            analyst.clone(),
            details,
        )
    };
    let details = json!({ "periodo": "2025-10", "mes": 10, "anio": 2025 });
    let mut rows = vec![cierre("create", "cierre_creado", details)];
    let valid = json!({ "archivo_nombre": libro.nombre, "archivo_size": libro.bytes.len(), "hash": sha256_hex(&libro.bytes) });
    let mut of_libro = way_of(way, company, libro, 147, 3, valid);
    let arrived = of_libro
        .iter()
        .position(|row| row.1 == "archivo_subido")
        .unwrap();
    of_libro.insert(
        arrived + 1,
        moved(closing, &uploader, "pendiente", "cargando_archivos"),
    );
    rows.extend(of_libro);
    let hash = sha256_hex(&movimientos.bytes);
    let valid =
        json!({ "archivo_nombre": movimientos.nombre, "accion_db": "creado", "hash": hash });
    rows.extend(way_of(way, company, movimientos, 13, 1, valid));
    rows.push(moved(
        closing,
        "sistema",
        "cargando_archivos",
        "archivos_completos",
    ));
    let details = json!({ "total_discrepancias": 0, "tipos": no_discrepancies() });
    let generated = (
        "generate",
        "discrepancias_generadas",
        "discrepancias",
        String::new(),
        analyst.clone(),
        details,
    );
    rows.push(generated);
    rows.push(moved(
        closing,
        &analyst,
        "archivos_completos",
        "verificado_sin_discrepancias",
    ));
    let details = json!({
        "total_incidencias": 0, "empleados_afectados": 0, "conceptos_afectados": [], "monto_total_diferencias": "0",
    });
    rows.push((
        "generate",
        "incidencias_generadas",
        "incidencias",
        String::new(),
        "sistema".to_owned(),
        details,
    ));
    rows.push(moved(
        closing,
        &analyst,
        "verificado_sin_discrepancias",
        "incidencias_resueltas",
    ));
    rows.push(cierre(
        "view",
        "reporte_visto",
        json!({ "reporte": "libro" }),
    ));
    let details = json!({
        "periodo": "2025-10", "total_empleados": 3, "total_registros": 4, "incidencias_pendientes": 0,
        "estado_final": "finalizado", "sello": seal["sello"], "numero": 1,
    });
    rows.push(cierre("finalize", "cierre_finalizado", details));
    rows
}

#[rstest]
#[case::by_signed_uploads(Way::Upload)]
#[case::by_drops(Way::Drop)]
#[tokio::test]
async fn a_first_month_is_closed_and_told(#[case] way: Way) {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    assert_eq!(closing.estado().await, "pendiente");
    let libro = Brought {
        tipo: "libro_remuneraciones",
        // Blanks and letters beyond ASCII are escaped in what the bucket says.
        nombre: "libro año (1).csv",
        bytes: GOLDEN.to_vec(),
        id: way
            .bring(
                &closing,
                "libro_remuneraciones",
                "libro año (1).csv",
                GOLDEN,
            )
            .await,
    };
    assert_eq!(closing.estado().await, "cargando_archivos");
    let bytes = movimientos(&[["30686957-4", "BAJA", "15/10/2025", "18"]]);
    let movimientos = Brought {
        tipo: "movimientos_mes",
        nombre: "movimientos.xlsx",
        id: way
            .bring(&closing, "movimientos_mes", "movimientos.xlsx", &bytes)
            .await,
        bytes,
    };
    let files = [libro, movimientos];
    let cierre = closing.now().await;
    assert_eq!(cierre["estado"], "archivos_completos");
    assert_eq!(
        cierre["archivos"],
        json!({ "libro_remuneraciones": files[0].id, "movimientos_mes": files[1].id })
    );

    let job = closing.generate("discrepancias").await;
    assert_eq!(job["iniciado_por"], company.username("payroll"));
    let cierre = closing.now().await;
    assert_eq!(cierre["estado"], "verificado_sin_discrepancias");
    let result = &cierre["resultados"]["discrepancias"];
    let mut missing: Vec<&str> = result["no_evaluadas"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t.as_str().unwrap())
        .collect();
    missing.sort_unstable();
    assert_eq!(
        (&result["vigente"], missing),
        (&json!(true), NOT_EVALUATED.to_vec())
    );
    assert!(closing.list("/discrepancias").await.is_empty());

    closing.generate("incidencias").await;
    let cierre = closing.now().await;
    assert_eq!(cierre["estado"], "incidencias_resueltas");
    let result = &cierre["resultados"]["incidencias"];
    assert_eq!(
        (&result["vigente"], &result["base_comparacion"]),
        (&json!(true), &Value::Null)
    );
    assert!(closing.list("/incidencias").await.is_empty());
    assert_eq!(
        cierre["counts"],
        json!({
            "archivos": 2, "empleados": 3, "registros": 4, "discrepancias_abiertas": 0, "discrepancias_bloqueantes": 0,
            "incidencias_pendientes": 0, "incidencias_criticas": 0,
        })
    );

    let (nombre, exported) = closing.export().await;
    assert_eq!(nombre, "76086428_202510.csv");
    assert_eq!((exported.len(), &*sha256_hex(&exported)), (6169, EXPORTED));

    let seal = closing.finalise().await;
    assert_eq!(closing.estado().await, "finalizado");
    check_seal(way, &closing, &files, &seal).await;
    check_timeline(&closing, &expected(way, &closing, &files, &seal)).await;
}

async fn check_seal(way: Way, closing: &Closing, files: &[Brought; 2], seal: &Value) {
    let manifest = &seal["manifiesto"];
    assert_eq!(seal["numero"], 1);
    assert_eq!(seal["creado_por"], closing.company.username("payroll"));
    let digest = sha256_hex(canonical_json(manifest).unwrap().as_bytes());
    assert_eq!(
        seal["sello"], digest,
        "the seal is not the manifest's digest"
    );
    let auditor = closing.company.auditor().await;
    assert_eq!(
        auditor.get(&closing.path("/sellos/1")).await.expect(200),
        *seal
    );
    assert_eq!(
        auditor.list(&closing.path("/sellos")).await.as_slice(),
        std::slice::from_ref(seal)
    );
    auditor
        .get(&closing.path("/sellos/2"))
        .await
        .refused(404, "not_found");
    auditor
        .get(&closing.path("/sellos/1/diferencias"))
        .await
        .refused(404, "not_found");
    assert_eq!(
        keys(manifest),
        [
            "archivos",
            "base_comparacion",
            "cadena_cabeza",
            "cierre_id",
            "cliente_id",
            "configuracion",
            "discrepancias",
            "incidencias",
            "numero",
            "periodo",
            "resultado_sha256",
            "totales",
            "version",
        ]
    );
    let named = |name: &str| manifest[name].clone();
    assert_eq!(
        json!([
            named("cierre_id"),
            named("cliente_id"),
            named("periodo"),
            named("numero"),
            named("base_comparacion")
        ]),
        json!([closing.id, closing.cliente, "2025-10", 1, null])
    );
    assert_eq!(
        manifest["totales"],
        json!({ "empleados": 3, "registros": 3, "5201": "7048977", "5301": "551886", "5410": "75373", "5501": "6497091" })
    );
    assert_eq!(
        manifest["configuracion"],
        json!({
            "tolerancia_pesos": "1", "umbral_variacion": "30.00", "umbrales": {}, "montos_prioridad": ["500000", "200000", "50000"],
        })
    );
    let sealed = manifest["archivos"].as_array().unwrap();
    assert_eq!(sealed.len(), 2);
    for (sealed, (file, rows)) in sealed.iter().zip(files.iter().zip([3, 1])) {
        // Hashed from what stands in the bucket, not from what was sent.
        let key = way.key(closing, file.tipo, &file.id, file.nombre);
        let stored = closing.company.stack.object(&key, None).await.unwrap();
        assert_eq!(
            *sealed,
            json!({
                "tipo": file.tipo, "archivo_id": file.id, "nombre": file.nombre, "sha256": sha256_hex(&stored),
                "bytes": stored.len(), "filas": rows,
            })
        );
    }
    let events = closing.events().await;
    let finalised = events
        .iter()
        .position(|event| event["action"] == "cierre_finalizado")
        .unwrap();
    assert_eq!(manifest["cadena_cabeza"], events[finalised - 1]["hash"]);
    assert_eq!(
        events[finalised]["prev_hash"],
        events[finalised - 1]["hash"]
    );
}

async fn check_timeline(closing: &Closing, expected: &[Row]) {
    let supervisor = closing.company.supervisor().await;
    let page = closing.timeline_as(&supervisor, "?limit=100").await;
    assert_eq!(
        keys(&page),
        ["cierre_id", "eventos", "next", "periodo", "resumen"]
    );
    assert_eq!(
        (&page["cierre_id"], &page["periodo"], &page["next"]),
        (&json!(closing.id), &json!("2025-10"), &Value::Null)
    );
    let events = page["eventos"].as_array().unwrap();
    let told: Vec<Value> = events.iter().map(row).collect();
    let expected: Vec<Value> = expected.iter().map(|row| json!(row)).collect();
    assert_eq!(told, expected, "told: {told:#?}");
    let order: Vec<(&str, &str)> = events
        .iter()
        .map(|event| {
            (
                event["timestamp"].as_str().unwrap(),
                event["id"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");

    let mut by_type = std::collections::BTreeMap::new();
    let mut users: Vec<&str> = Vec::new();
    for event in events {
        *by_type
            .entry(event["event_type"].as_str().unwrap())
            .or_insert(0) += 1;
        let user = event["user"].as_str().unwrap();
        if !users.contains(&user) {
            users.push(user);
        }
    }
    assert_eq!(page["resumen"]["eventos_por_tipo"], json!(by_type));
    assert_eq!(page["resumen"]["total_eventos"], events.len());
    assert_eq!(page["resumen"]["usuarios_activos"], json!(users));
    // The look left an event of its own, after the answer.
    assert_eq!(closing.verify().await, events.len() as u64 + 1);
}
