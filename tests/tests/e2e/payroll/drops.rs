//! Objects that people put into the bucket themselves: each is a file or in quarantine.

use cierre_tests::{
    Closing, Company, GOLDEN, GOLDEN_CLIENT, WORK_ENDS_WITHIN, eventually, names, within,
};
use serde_json::{Value, json};

/// Waits until an object stands where it was put aside and no longer where it was; answers its bytes.
async fn moved(company: &Company, key: &str, to: &str) -> Vec<u8> {
    within(
        WORK_ENDS_WITHIN,
        &format!("{key} is in quarantine"),
        || async {
            let copy = company.stack.object(to, None).await?;
            company
                .stack
                .object(key, None)
                .await
                .is_none()
                .then_some(copy)
        },
    )
    .await
}

/// Drops an object that must be put aside for this reason, and checks what is listed and told of it.
async fn put_aside(company: &Company, key: &str, motive: &str, closing: Option<&Closing>) {
    let bytes = format!("object {key}").into_bytes();
    company.stack.drop_at(key, &bytes).await;
    let kept = moved(company, key, &format!("quarantine/{}/{key}", company.id)).await;
    assert_eq!(kept, bytes);
    let what = format!("{key} is listed");
    let listed = eventually(&what, || async {
        company
            .quarantine()
            .await
            .into_iter()
            .find(|one| one["clave"] == key)
    })
    .await;
    let id = closing.map(|closing| closing.id.clone());
    assert_eq!(
        json!([listed["motivo"], listed["tamano"], listed["cierre_id"]]),
        json!([motive, bytes.len(), id]),
        "{listed}"
    );
    assert!(listed["recibido_en"].is_string());
    let auditor = company.auditor().await;
    let path = match closing {
        Some(closing) => format!("/api/nomina/cierres/{}/errores", closing.id),
        None => "/api/nomina/actividad?event_type=error".to_owned(),
    };
    let what = format!("{key} is told of");
    let told = eventually(&what, || async {
        let events = auditor.list(&path).await;
        events
            .into_iter()
            .find(|event| event["details"]["clave"] == key)
    })
    .await;
    assert_eq!(
        json!([
            told["event_type"],
            told["action"],
            told["resource_id"],
            told["details"]
        ]),
        json!(["error", "validacion_fallida", "", { "clave": key, "motivo": motive }])
    );
    assert_eq!(
        told["cierre_id"].as_str(),
        closing.map(|closing| &*closing.id),
        "{told}"
    );
}

#[tokio::test]
async fn an_object_without_a_place_is_put_aside_for_its_reason() {
    let company = Company::of_payroll().await;
    let other = Company::on(company.stack.clone());
    other.set_up_payroll().await;
    let foreign = other.closing().await;
    let closing = company.closing().await;
    let own = |rest: &str| format!("payroll/{}/{rest}", company.id);
    let cierre = &closing.id;
    for key in [
        own("loose.csv"),
        own(&format!("{cierre}/libro.csv")),
        own(&format!("{cierre}/libro_remuneraciones/a/b/c.csv")),
        own(&format!("{cierre}/libro_rem/libro.csv")),
        own(&format!(
            "{cierre}/libro_remuneraciones/{}/libro.csv",
            "arc_01JD0000000000000000000001"
        )),
    ] {
        put_aside(&company, &key, "clave_invalida", None).await;
    }
    for id in ["cie_01JD0000000000000000000001", "nonsense", &*foreign.id] {
        let key = own(&format!("{id}/libro_remuneraciones/libro.csv"));
        put_aside(&company, &key, "cierre_desconocido", None).await;
    }
    assert!(closing.list("/archivos").await.is_empty());
    assert!(foreign.list("/archivos").await.is_empty());
    assert!(other.quarantine().await.is_empty());
    // Newest first, and page by page the same.
    let listed = company.quarantine().await;
    assert_eq!(listed.len(), 8);
    let times = names(&listed, "recibido_en");
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    let auditor = company.auditor().await;
    assert_eq!(auditor.list_by("/api/nomina/cuarentena", 3).await, listed);
}

#[tokio::test]
async fn an_object_for_a_closed_closing_is_put_aside_on_its_timeline() {
    let company = Company::of_payroll().await;
    let cliente = company.cliente(GOLDEN_CLIENT).await;
    let finalised = company.closing_of(&cliente, "2025-10").await;
    finalised.fill(GOLDEN).await;
    finalised.finish().await;
    let before = finalised.now().await;
    let key = finalised.key("ingresos", "ingresos.csv");
    put_aside(&company, &key, "cierre_finalizado", Some(&finalised)).await;
    // A failed validation moves the chain and nothing else.
    assert_eq!(finalised.now().await, before);
    finalised.verify().await;

    let deleted = company.closing_of(&cliente, "2025-11").await;
    let path = deleted.path("?motivo=Se%20cre%C3%B3%20por%20error");
    company.analyst().await.delete(&path).await.expect(204);
    let key = deleted.key("ingresos", "ingresos.csv");
    put_aside(&company, &key, "cierre_eliminado", Some(&deleted)).await;
    deleted.verify().await;
}

#[tokio::test]
async fn bytes_that_come_after_their_file_was_deleted_are_put_aside() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let announced = closing
        .announce("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    let analyst = company.analyst().await;
    analyst
        .delete(&closing.file_path(&announced.id, ""))
        .await
        .expect(204);
    closing.put(&announced.upload, GOLDEN).await;
    let key = closing.key(
        "libro_remuneraciones",
        &format!("{}/libro.csv", announced.id),
    );
    let kept = moved(&company, &key, &format!("quarantine/{}/{key}", company.id)).await;
    assert_eq!(kept, GOLDEN);
    let [listed] = company.quarantined(1).await.try_into().unwrap();
    assert_eq!(
        json!([listed["clave"], listed["motivo"], listed["cierre_id"]]),
        json!([key, "archivo_eliminado", closing.id])
    );
    assert_eq!(closing.file(&announced.id).await["estado"], "eliminado");
    let told = &closing.events_of("validacion_fallida").await[0];
    // The uploader's name stands with it.
    assert_eq!(
        json!([
            told["user"],
            told["resource_type"],
            told["resource_id"],
            told["details"]
        ]),
        json!([company.username("payroll"), "libro_remuneraciones", "", { "clave": key, "motivo": "archivo_eliminado" }])
    );
}

#[tokio::test]
async fn what_belongs_to_nobody_is_put_aside_without_a_word() {
    let company = Company::of_payroll().await;
    // A company that owns no client, and keys that name no company.
    let key = format!(
        "payroll/{}/cie_01JD0000000000000000000001/ingresos/ingresos.csv",
        company.id
    );
    let nobody = format!("payroll/{}.csv", company.id);
    let stranger = format!("payroll/stranger-{}/a.csv", company.id);
    for key in [&key, &nobody, &stranger] {
        company.stack.drop_at(key, b"whose?").await;
        let kept = moved(&company, key, &format!("quarantine/_unknown/{key}")).await;
        assert_eq!(kept, b"whose?");
    }
    assert!(company.quarantine().await.is_empty());
    let events = company.auditor().await.list("/api/nomina/actividad").await;
    assert!(events.is_empty(), "{events:?}");
}

#[tokio::test]
async fn a_key_written_over_is_a_new_file_each_time() {
    let company = Company::of_payroll().await;
    let closing = company.closing().await;
    let first = closing
        .dropped("libro_remuneraciones", "libro.csv", GOLDEN)
        .await;
    let mut longer = GOLDEN.to_vec();
    longer.push(b'\n');
    let second = closing
        .dropped("libro_remuneraciones", "libro.csv", &longer)
        .await;
    assert_eq!(
        (&second["estado"], &second["tamano"]),
        (&json!("procesado"), &json!(longer.len()))
    );
    let replaced = closing.file(first["id"].as_str().unwrap()).await;
    assert_eq!(replaced["estado"], "reemplazado");
    let gone = &closing.events_of("archivo_eliminado").await[0];
    assert_eq!(
        json!([gone["user"], gone["details"]["motivo"]]),
        json!(["sistema", "resubida"])
    );

    // So is a signed address that is used twice.
    let announced = closing
        .announce("ingresos", "ingresos.csv", &ingresos("Uno"))
        .await;
    closing.put(&announced.upload, &ingresos("Uno")).await;
    let first = closing.file_end(&announced.id).await;
    assert_eq!(first["estado"], "procesado");
    closing.put(&announced.upload, &ingresos("Dos")).await;
    let files = within(WORK_ENDS_WITHIN, "the second one is in force", || async {
        let files = closing.list("/archivos?tipo=ingresos").await;
        let in_force: Vec<&Value> = files
            .iter()
            .filter(|file| file["vigente"] == true)
            .collect();
        (files.len() == 2 && in_force.len() == 1 && in_force[0]["id"] != first["id"])
            .then_some(files)
    })
    .await;
    let mut states = names(&files, "estado");
    states.sort_unstable();
    assert_eq!(states, ["procesado", "reemplazado"]);
    let rows = closing.list("/registros?tipo=ingresos").await;
    assert_eq!(rows[0]["valores"]["nombre"], "Dos");
    closing.verify().await;
}

fn ingresos(nombre: &str) -> Vec<u8> {
    format!("rut;nombre;fecha_ingreso\r\n12345678-5;{nombre};03/10/2025\r\n").into_bytes()
}
