//! Electronic invoices that are dropped: each object ends as one factura or one rejection, however often and in whatever order it is told of.

use cierre_tests::{
    ANA, ASEO, Client, Company, Dropped, JUAN, LUZ, NITS, OLGA, PEDRO, WORK_ENDS_WITHIN, Xml,
    automatica, body_of, latin1, names, politica, within, xml_attached, xml_with_prefixes,
};
use rstest::rstest;
use serde_json::{Value, json};

const REJECTIONS: &str = "/facturas/rechazos-ingreso";

#[tokio::test]
async fn an_invoice_becomes_a_factura_with_everything_that_it_says() {
    let company = Company::of_payables().await;
    let factura = company.taken(Xml::numbered("X-1").bytes(), "X-1").await;
    let now = factura.now().await;
    for (field, expected) in [
        ("nit", json!(ASEO)),
        ("proveedor", json!("Aseo Total S.A.S. & Cía")),
        ("fecha_emision", json!("2026-02-05")),
        ("fecha_vencimiento", json!("2026-03-07")),
        ("moneda", json!("COP")),
        ("total", json!("8500000.00")),
        ("concepto", json!("Aseo oficinas febrero 2026")),
        ("origen", json!("xml")),
        ("estado", json!("pendiente")),
        ("registrada_por", json!("sistema")),
        ("registrada_por_id", json!("sistema")),
        ("responsable", json!(JUAN.name)),
    ] {
        assert_eq!(now[field], expected, "{field}");
    }
    assert!(
        now["cufe"]
            .as_str()
            .unwrap()
            .starts_with("941cf36af62dbbc0")
    );
    let items = now["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1]["descripcion"], "Vidrios <exteriores>");
    assert_eq!(items[1]["valor_unitario"], "250000.123456");
    company.payables_agree().await;
}

#[tokio::test]
async fn an_attached_document_and_other_prefixes_and_encodings_are_read_alike() {
    let company = Company::of_payables().await;
    let attached = company
        .taken(&xml_attached("AD-1"), "AD-1")
        .await
        .now()
        .await;
    assert_eq!(
        json!([
            attached["nit"],
            attached["moneda"],
            attached["total"],
            attached["proveedor"]
        ]),
        json!([LUZ, "USD", "310.50", "Luz SA"])
    );
    let prefixed = company
        .taken(&xml_with_prefixes("E/2026/9"), "E/2026/9")
        .await
        .now()
        .await;
    assert_eq!(
        json!([
            prefixed["nit"],
            prefixed["total"],
            prefixed["proveedor"],
            prefixed["concepto"]
        ]),
        json!([
            NITS[2],
            "120000.00",
            "Compañía Eléctrica Ñandú",
            "Energía marzo"
        ])
    );
}

#[tokio::test]
async fn an_announced_upload_is_registered_by_whoever_announced_it() {
    let company = Company::of_payables().await;
    let invoice = Xml::numbered("U-1");
    let carga = company.announce_xml(invoice.bytes()).await;
    assert_eq!(
        json!([carga["clave"]]),
        json!([company.xml_key(carga["id"].as_str().unwrap())])
    );
    assert!(carga["vence"].is_string());
    let pedro = company.person(PEDRO).await;
    let path = format!("/facturas/cargas/{}", carga["id"].as_str().unwrap());
    let waiting = pedro.get(&path).await.expect(200);
    assert_eq!(
        json!([
            waiting["estado"],
            waiting["nombre_archivo"],
            waiting["factura_id"]
        ]),
        json!(["esperando", "factura.xml", null])
    );
    // The address takes exactly the bytes that were announced.
    let mut longer = invoice.bytes().to_vec();
    longer.push(b'\n');
    assert!(company.send_xml(&carga, &longer).await >= 400);
    assert_eq!(pedro.get(&path).await.expect(200)["estado"], "esperando");
    assert_eq!(company.send_xml(&carga, invoice.bytes()).await, 200);
    let ended = company.carga_end(carga["id"].as_str().unwrap()).await;
    assert_eq!(
        json!([ended["estado"], ended["rechazo_id"]]),
        json!(["procesada", null])
    );
    let factura = company.factura(ended["factura_id"].as_str().unwrap());
    assert_eq!(factura.now().await["registrada_por"], PEDRO.name);
    // So segregation of duties holds of it.
    factura.aprobar(PEDRO).await.expect(403);
    // Another upload that is no invoice.
    let broken = b"<Invoice".to_vec();
    let carga = company.announce_xml(&broken).await;
    assert_eq!(company.send_xml(&carga, &broken).await, 200);
    let ended = company.carga_end(carga["id"].as_str().unwrap()).await;
    let refused = company.rejection_of(carga["clave"].as_str().unwrap()).await;
    assert_eq!(
        json!([
            ended["estado"],
            ended["factura_id"],
            ended["rechazo_id"],
            refused["carga_id"]
        ]),
        json!(["rechazada", null, refused["id"], carga["id"]])
    );
    let told = company
        .person(OLGA)
        .await
        .list(&format!(
            "/activity?resource_type=carga_factura&resource_id={}",
            carga["id"].as_str().unwrap()
        ))
        .await;
    let mut actions = names(&told, "action");
    actions.sort_unstable();
    assert_eq!(actions, ["ingreso_rechazado", "xml_recibido"]);
    assert!(
        told.iter()
            .all(|event| event["user"] == company.username(PEDRO.word))
    );
}

#[tokio::test]
async fn an_upload_that_does_not_come_within_the_hour_is_overdue_and_still_counts_later() {
    let company = Company::of_payables().await;
    let invoice = Xml::numbered("U-2");
    let carga = company.announce_xml(invoice.bytes()).await;
    let path = format!("/facturas/cargas/{}", carga["id"].as_str().unwrap());
    let olga = company.person(OLGA).await;
    let later = company
        .stack
        .clock_after(std::time::Duration::from_secs(3601));
    let overdue = company
        .at(&later, &olga, "GET", &path, Value::Null)
        .await
        .expect(200);
    assert_eq!(overdue["estado"], "vencida");
    company.send_xml(&carga, invoice.bytes()).await;
    let ended = company.carga_end(carga["id"].as_str().unwrap()).await;
    assert_eq!(ended["estado"], "procesada");
}

#[tokio::test]
async fn an_upload_has_a_name_and_at_most_five_mebibytes() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    let most = 5 * 1024 * 1024;
    for (body, place, code) in [
        (
            json!({ "nombre_archivo": "a.xml", "tamano": most + 1 }),
            "/tamano",
            "archivo_demasiado_grande",
        ),
        (
            json!({ "nombre_archivo": "a.xml", "tamano": 0 }),
            "/tamano",
            "out_of_range",
        ),
        (
            json!({ "nombre_archivo": "  ", "tamano": 1 }),
            "/nombre_archivo",
            "out_of_range",
        ),
        (json!({ "tamano": 1 }), "/nombre_archivo", "required"),
    ] {
        pedro
            .post("/facturas/cargas", body)
            .await
            .invalid(&[(place, code)]);
    }
    let largest = json!({ "nombre_archivo": "a.xml", "tamano": most });
    pedro.post("/facturas/cargas", largest).await.expect(201);
}

/// Before the root element, an entity of a file, and one that grows.
const DOCTYPE: &str = r#"<!DOCTYPE Invoice [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><Invoice "#;
const BOMB: &str = r#"<!DOCTYPE Invoice [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Invoice "#;

#[rstest]
#[case::document_type("<Invoice ", DOCTYPE, "xml_inseguro")]
#[case::entity_bomb("<Invoice ", BOMB, "xml_inseguro")]
#[case::truncated("</Invoice>", "", "xml_mal_formado")]
#[case::unknown_entity("SETP", "&xxe;", "xml_mal_formado")]
#[case::encoding("UTF-8", "UTF-16", "codificacion_no_admitida")]
#[case::credit_note("Invoice", "CreditNote", "tipo_documento_no_admitido")]
#[case::absent("<cbc:IssueDate>2026-02-05</cbc:IssueDate>", "", "campo_faltante")]
#[case::malformed("2026-02-05<", "05/02/2026<", "campo_invalido")]
#[case::check_digit(
    r#"schemeID="8" schemeName="31">900373923"#,
    r#"schemeID="7" schemeName="31">900373923"#,
    "campo_invalido"
)]
#[case::too_much("8500000.0000", "1000000000000.00", "importe_fuera_de_rango")]
#[case::nothing("8500000.0000", "0.00", "total_no_positivo")]
#[case::other_currency(
    r#"<cbc:PayableAmount currencyID="COP""#,
    r#"<cbc:PayableAmount currencyID="USD""#,
    "moneda_inconsistente"
)]
#[case::tomorrow("2026-02-05<", "2999-01-01<", "fecha_futura")]
#[case::due_before_issue("2026-03-07<", "2026-02-04<", "fecha_invalida")]
#[tokio::test]
async fn what_is_no_invoice_is_refused_with_its_reason_and_place(
    #[case] piece: &str,
    #[case] other: &str,
    #[case] code: &str,
) {
    let company = Company::of_payables().await;
    let invoice = Xml::numbered("SETP1").with(piece, other);
    let refused = company.refused_xml(invoice.bytes()).await;
    assert_eq!(refused["code"], code, "{refused:#}");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(
        refused["sha256"]
            .as_str()
            .is_some_and(|digest| digest.len() == 64)
    );
    assert_eq!(
        json!([refused["carga_id"], refused["factura_id"]]),
        json!([null, null])
    );
    if [
        "campo_invalido",
        "importe_fuera_de_rango",
        "xml_mal_formado",
    ]
    .contains(&code)
    {
        assert!(refused["linea"].is_u64(), "{refused:#}");
    }
    if code == "campo_faltante" {
        assert_eq!(refused["ruta_xml"], "Invoice/cbc:IssueDate");
    }
    let olga = company.person(OLGA).await;
    let told = olga.list("/activity?event_type=error").await;
    let told = told
        .iter()
        .find(|event| event["action"] == "ingreso_rechazado")
        .unwrap();
    for field in ["code", "linea", "columna", "ruta_xml"] {
        assert_eq!(told["details"][field], refused[field], "{field}");
    }
    assert_eq!(
        json!([told["resource_id"], told["user"]]),
        json!([refused["clave"], "sistema"])
    );
    assert!(olga.list("/facturas").await.is_empty());
}

#[tokio::test]
async fn a_file_over_five_mebibytes_is_refused_unread() {
    let company = Company::of_payables().await;
    let mut large = Xml::numbered("BIG-1").0.into_bytes();
    large.resize(5 * 1024 * 1024 + 1, b' ');
    let refused = company.refused_xml(&large).await;
    assert_eq!(
        json!([refused["code"], refused["sha256"]]),
        json!(["archivo_demasiado_grande", null])
    );
    large.pop();
    company.taken(&large, "BIG-1").await;
}

#[tokio::test]
async fn letters_of_another_encoding_than_the_declared_one_are_refused() {
    let company = Company::of_payables().await;
    let undeclared = Xml::numbered("ENC-1").with(r#" encoding="UTF-8""#, "");
    let refused = company.refused_xml(&latin1(&undeclared.0)).await;
    assert_eq!(refused["code"], "codificacion_no_admitida");
}

#[tokio::test]
async fn an_invoice_to_another_company_is_refused_once_the_policy_names_ones_own() {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| policy["nit_empresa"] = json!(NITS[4])))
        .await;
    let refused = company.refused_xml(Xml::numbered("DST-1").bytes()).await;
    assert_eq!(refused["code"], "destinatario_ajeno");
    company
        .set_policy(politica(|policy| policy["nit_empresa"] = json!(NITS[3])))
        .await;
    company.taken(Xml::numbered("DST-2").bytes(), "DST-2").await;
}

#[tokio::test]
async fn an_electronic_invoice_may_be_approved_by_rule() {
    let company = Company::of_payables().await;
    let mut first = body_of(ASEO, "AU-0", "8500000.00");
    first["fecha_emision"] = json!("2026-01-05");
    first["concepto"] = json!("Aseo oficinas enero 2026");
    company
        .register(first)
        .await
        .aprobar(JUAN)
        .await
        .expect(200);
    company
        .set_policy(automatica(|policy| {
            policy["automatica"]["total_maximo"] = json!({ "COP": "9000000.00" });
            policy["automatica"]["origenes"] = json!(["xml"]);
        }))
        .await;
    let factura = company.taken(Xml::numbered("AU-1").bytes(), "AU-1").await;
    assert_eq!(factura.estado().await, "aprobada_auto");
    company.payables_agree().await;
}

#[tokio::test]
async fn the_same_invoice_under_another_key_is_refused_and_names_the_factura() {
    let company = Company::of_payables().await;
    let by_hand = company.register(body_of(ASEO, "DUP-1", "1.00")).await;
    let first = company.refused_xml(Xml::numbered("dup 1").bytes()).await;
    let by_drop = company.taken(Xml::numbered("DUP-2").bytes(), "DUP-2").await;
    let second = company.refused_xml(Xml::numbered("DUP-2").bytes()).await;
    for (refused, factura) in [(first, by_hand), (second, by_drop)] {
        assert_eq!(
            json!([refused["code"], refused["factura_id"]]),
            json!(["factura_duplicada", factura.id])
        );
    }
    company.payables_agree().await;
}

/// Everything that an event may have left: facturas, rejections and events.
async fn everything(company: &Company) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let olga: Client = company.person(OLGA).await;
    (
        olga.list("/facturas").await,
        olga.list(REJECTIONS).await,
        olga.list("/activity").await,
    )
}

#[tokio::test]
async fn what_the_bucket_tells_again_has_no_effect_also_after_a_deletion() {
    let company = Company::of_payables().await;
    let (right, wrong) = (Xml::numbered("TW-1"), b"<Invoice".to_vec());
    let dropped = company.drop_xml(right.bytes()).await;
    let factura = company.factura_numbered("TW-1").await;
    let broken = company.drop_xml(&wrong).await;
    company.rejection_of(&broken.key).await;
    let before = everything(&company).await;
    // The same content under the same key, whatever its sequencer.
    for sequencer in ["00", "FFFFFFFFFFFFFFFFFFFFFFFF"] {
        let notices = [
            company.xml_notice(&dropped, right.bytes(), sequencer),
            company.xml_notice(&broken, &wrong, sequencer),
        ];
        company.hand_xml(&notices).await;
        company
            .hand_xml(&[notices[0].clone(), notices[0].clone()])
            .await;
    }
    assert_eq!(everything(&company).await, before);
    factura.eliminar(PEDRO).await.expect(204);
    let before = everything(&company).await;
    company
        .hand_xml(&[company.xml_notice(&dropped, right.bytes(), "FFFFFFFFFFFFFFFFFFFFFFFFFF")])
        .await;
    assert_eq!(everything(&company).await, before);
    // By hand, or under another key, it comes again.
    company.taken(right.bytes(), "TW-1").await;
}

#[tokio::test]
async fn an_overwritten_key_counts_for_itself_and_an_older_event_comes_too_late() {
    let company = Company::of_payables().await;
    let key = company.xml_key("february");
    let (old, new) = (Xml::numbered("OW-1"), Xml::numbered("OW-2"));
    let first = company.stack.drop_at(&key, old.bytes()).await;
    company
        .factura_numbered("OW-1")
        .await
        .eliminar(PEDRO)
        .await
        .expect(204);
    company.stack.drop_at(&key, new.bytes()).await;
    company.factura_numbered("OW-2").await;
    let before = everything(&company).await;
    company
        .hand_xml(&[company.xml_notice(&first, old.bytes(), "00")])
        .await;
    assert_eq!(
        everything(&company).await,
        before,
        "OW-1 must not come back"
    );
}

#[tokio::test]
async fn every_object_ends_as_one_factura_or_one_rejection() {
    let company = Company::of_payables().await;
    let mut dropped: Vec<Dropped> = Vec::new();
    for nth in 0..30 {
        let invoice = match nth % 5 {
            0 | 1 => Xml::numbered(&format!("MANY-{nth}")),
            2 => Xml::numbered("SAME"),
            3 => Xml::numbered("BAD").with("2026-02-05<", "never<"),
            _ => Xml(format!("not even XML {nth}")),
        };
        dropped.push(company.drop_xml(invoice.bytes()).await);
    }
    let olga = company.person(OLGA).await;
    let (facturas, rejections) = within(
        WORK_ENDS_WITHIN,
        "thirty objects have their end",
        || async {
            let facturas = olga.list("/facturas").await;
            let rejections = olga.list(REJECTIONS).await;
            (facturas.len() + rejections.len() >= dropped.len()).then_some((facturas, rejections))
        },
    )
    .await;
    assert_eq!((facturas.len(), rejections.len()), (13, 17));
    let mut keys: Vec<&str> = names(&rejections, "clave");
    let told = olga.list("/activity?event_type=upload").await;
    assert_eq!(told.len(), 30, "each is told of once");
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 17, "no key is refused twice");
    let same = facturas
        .iter()
        .filter(|one| one["numero"] == "SAME")
        .count();
    assert_eq!(same, 1);
    company.payables_agree().await;
}

#[tokio::test]
async fn rejections_are_listed_newest_first_by_code_and_day() {
    let company = Company::of_payables().await;
    company.refused_xml(b"<Invoice").await;
    company
        .refused_xml(Xml::numbered("L-1").with("2026-02-05<", "never<").bytes())
        .await;
    company.refused_xml(b"<html/>").await;
    let ana = company.person(ANA).await;
    let all = ana.list_by(REJECTIONS, 1).await;
    assert_eq!(
        names(&all, "code"),
        [
            "tipo_documento_no_admitido",
            "campo_invalido",
            "xml_mal_formado"
        ]
    );
    let of_code = ana.list(&format!("{REJECTIONS}?code=campo_invalido")).await;
    assert_eq!(of_code, all[1..2]);
    let (today, tomorrow) = (cierre_tests::today(), cierre_tests::after(1));
    let yesterday = cierre_tests::after(-1);
    assert_eq!(
        ana.list(&format!("{REJECTIONS}?desde={yesterday}&hasta={today}"))
            .await,
        all
    );
    assert!(
        ana.list(&format!("{REJECTIONS}?desde={tomorrow}"))
            .await
            .is_empty()
    );
    let bad = ana.get(&format!("{REJECTIONS}?code=nonsense")).await;
    bad.invalid(&[("/code", "valor_no_admitido")]);
}
