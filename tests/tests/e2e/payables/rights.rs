//! Who decides, as what, and in which order a refusal is found.

use cierre_tests::{
    ANA, ASEO, AUTOMATIZACION, Company, Factura, JUAN, LUIS, LUZ, MARIA, NORA, OLGA, PEDRO,
    SISTEMA_AUTO, Who, body_of, politica,
};
use rstest::rstest;
use serde_json::{Value, json};

/// What a decision of somebody is recorded as.
async fn quality_of(factura: &Factura, who: Who) -> Value {
    let decided = factura.aprobar(who).await.expect(200);
    let last = decided["workflow"]["decisiones"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    let told = factura.events_of("factura_aprobada").await.pop().unwrap();
    for field in ["calidad", "a_nombre_de", "sod_excepcion"] {
        assert_eq!(told["details"][field], last[field], "{told}");
    }
    json!([last["calidad"], last["a_nombre_de"], last["sod_excepcion"]])
}

#[tokio::test]
async fn the_first_right_that_fits_is_recorded() {
    let company = Company::of_payables().await;
    company.delegate(JUAN, MARIA).await;
    let pending = async |numero: &str| company.pending(numero).await;
    for (numero, who, expected) in [
        ("Q-1", JUAN, json!(["responsable", null, false])),
        ("Q-2", LUIS, json!(["supervisor", null, false])),
        ("Q-3", ANA, json!(["admin", null, false])),
        ("Q-4", MARIA, json!(["delegado", JUAN.name, false])),
    ] {
        assert_eq!(
            quality_of(&pending(numero).await, who).await,
            expected,
            "{}",
            who.name
        );
    }
    // A supervisor who answers for the factura decides as responsable; one to whom is delegated, as supervisor.
    company.assign(LUZ, LUIS).await;
    let own = company.register(body_of(LUZ, "Q-5", "1.00")).await;
    assert_eq!(quality_of(&own, LUIS).await[0], "responsable");
    let supervisor = Who {
        word: "ivan",
        name: "Iván Sol",
        roles: &["supervisor", "admin"],
    };
    let both = pending("Q-6").await;
    assert_eq!(quality_of(&both, supervisor).await[0], "supervisor");
    company.payables_agree().await;
}

#[rstest]
#[case::without_part(NORA)]
#[case::who_registers(PEDRO)]
#[case::who_only_reads(OLGA)]
#[case::of_another_domain(Who { word: "bill", name: "Bill", roles: &["billing", "expenses"] })]
#[tokio::test]
async fn whoever_has_no_right_is_denied_and_that_is_recorded(#[case] who: Who) {
    let company = Company::of_payables().await;
    // Registered by somebody else, so that nothing but the right is missing.
    let factura = company.register_as(ANA, body_of(ASEO, "D-1", "1.00")).await;
    let before = factura.now().await;
    factura
        .aprobar(who)
        .await
        .refused(403, "no_autorizado_para_decidir");
    factura
        .rechazar(who)
        .await
        .refused(403, "no_autorizado_para_decidir");
    assert_eq!(
        factura.now().await,
        before,
        "a denial moves neither state nor version"
    );
    let denied = factura.events_of("decision_denegada").await;
    let told: Vec<Value> = denied
        .iter()
        .map(|event| json!([event["event_type"], event["user"], event["details"]]))
        .collect();
    let row = |accion: &str| {
        let details = json!({ "accion": accion, "code": "no_autorizado_para_decidir" });
        json!(["error", company.username(who.word), details])
    };
    assert_eq!(told, [row("aprobar"), row("rechazar")]);
    factura.verify().await;
}

#[tokio::test]
async fn an_auditor_who_answers_for_a_factura_by_another_role_decides() {
    let company = Company::of_payables().await;
    let both = Who {
        word: "rosa",
        name: "Rosa Luz",
        roles: &["auditor", "payables"],
    };
    company.assign(LUZ, both).await;
    let factura = company.register(body_of(LUZ, "D-2", "1.00")).await;
    factura.aprobar(both).await.expect(200);
}

#[tokio::test]
async fn nobody_decides_on_what_they_registered_nor_through_a_delegate() {
    let company = Company::of_payables().await;
    let keeper = Who {
        word: "keeper",
        name: "Kira Paz",
        roles: &["payables"],
    };
    company.assign(LUZ, keeper).await;
    company.delegate(keeper, MARIA).await;
    let own = company
        .register_as(keeper, body_of(LUZ, "D-3", "1.00"))
        .await;
    let before = own.now().await;
    for who in [keeper, MARIA] {
        own.aprobar(who).await.refused(403, "sod_violation");
        own.rechazar(who).await.refused(403, "sod_violation");
    }
    let by_admin = company.register_as(ANA, body_of(ASEO, "D-4", "1.00")).await;
    by_admin.aprobar(ANA).await.refused(403, "sod_violation");
    assert_eq!(own.now().await, before);
    assert_eq!(own.events_of("decision_denegada").await.len(), 4);
    own.aprobar(LUIS).await.expect(200);
    company.payables_agree().await;
}

#[tokio::test]
async fn a_policy_may_lift_segregation_and_the_decision_is_marked() {
    let company = Company::of_payables().await;
    let lifted = politica(|policy| policy["permitir_autoaprobacion"] = json!(true));
    company.set_policy(lifted).await;
    let keeper = Who {
        word: "keeper",
        name: "Kira Paz",
        roles: &["payables"],
    };
    company.assign(LUZ, keeper).await;
    company.delegate(keeper, MARIA).await;
    let register = async |numero: &str| {
        company
            .register_as(keeper, body_of(LUZ, numero, "1.00"))
            .await
    };
    let own = register("D-5").await;
    assert_eq!(
        quality_of(&own, keeper).await,
        json!(["responsable", null, true])
    );
    let delegated = register("D-6").await;
    assert_eq!(
        quality_of(&delegated, MARIA).await,
        json!(["delegado", keeper.name, true])
    );
    let other = register("D-7").await;
    assert_eq!(
        quality_of(&other, LUIS).await,
        json!(["supervisor", null, false])
    );
    company.payables_agree().await;
}

#[rstest]
#[case(SISTEMA_AUTO)]
#[case("sistema_auto")]
#[case(AUTOMATIZACION)]
#[case("Sistema de Automatizacion")]
#[tokio::test]
async fn a_person_called_as_the_system_is_decides_nothing(#[case] name: &'static str) {
    let company = Company::of_payables().await;
    let factura = company.pending("D-8").await;
    let machine = Who {
        word: "machine",
        name,
        roles: &["supervisor"],
    };
    factura
        .aprobar(machine)
        .await
        .refused(403, "nombre_reservado");
    factura
        .rechazar(machine)
        .await
        .refused(403, "nombre_reservado");
    assert_eq!(factura.estado().await, "pendiente");
    let denied = factura.events_of("decision_denegada").await;
    assert!(
        denied
            .iter()
            .all(|event| event["details"]["code"] == "nombre_reservado")
    );
    assert_eq!(denied.len(), 2);
}

#[tokio::test]
async fn checks_come_in_order_body_factura_right_segregation_state() {
    let company = Company::of_payables().await;
    let decided = company.register_as(ANA, body_of(ASEO, "O-1", "1.00")).await;
    decided.aprobar(JUAN).await.expect(200);
    let unassigned = company.register_as(ANA, body_of(LUZ, "O-2", "1.00")).await;
    let unknown = company.factura("fac_01JD0000000000000000000001");
    let blank = json!({ "motivo": "  " });
    // The body before the factura and before the right.
    unknown
        .command(NORA, "rechazar", blank.clone())
        .await
        .refused(422, "motivo_requerido");
    decided
        .command(NORA, "rechazar", blank)
        .await
        .refused(422, "motivo_requerido");
    let accion_por = json!({ "accion_por": "Nora" });
    unknown
        .command(NORA, "aprobar", accion_por)
        .await
        .invalid(&[("/accion_por", "unknown_field")]);
    // The factura before the right.
    unknown.aprobar(NORA).await.refused(404, "not_found");
    // The right before segregation and before the state.
    decided
        .aprobar(NORA)
        .await
        .refused(403, "no_autorizado_para_decidir");
    unassigned
        .aprobar(NORA)
        .await
        .refused(403, "no_autorizado_para_decidir");
    // Segregation before the state.
    decided.aprobar(ANA).await.refused(403, "sod_violation");
    unassigned.aprobar(ANA).await.refused(403, "sod_violation");
    // The state at last.
    decided.aprobar(LUIS).await.refused(409, "ya_decidida");
    unassigned
        .aprobar(LUIS)
        .await
        .refused(409, "sin_responsable");
}

#[tokio::test]
async fn a_name_is_that_of_the_moment_and_a_renaming_rewrites_nothing() {
    use aws_sdk_cognitoidentityprovider::types::AttributeType;
    let company = Company::of_payables().await;
    let before = company.pending("N-1").await;
    before.aprobar(JUAN).await.expect(200);
    let name = AttributeType::builder()
        .name("name")
        .value("Juan Pérez Ríos")
        .build()
        .unwrap();
    let update = company.stack.cognito().admin_update_user_attributes();
    update
        .user_pool_id(company.stack.output("USER_POOL_ID"))
        .username(company.username(JUAN.word))
        .user_attributes(name)
        .send()
        .await
        .unwrap();
    let renamed = cierre_tests::Client::login(
        &company.stack,
        &company.username(JUAN.word),
        cierre_tests::PASSWORD,
    )
    .await;
    let after = company.pending("N-2").await;
    let decided = renamed
        .post(&after.path("/aprobar"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        json!([decided["accion_por"], decided["responsable"]]),
        json!(["Juan Pérez Ríos", JUAN.name]),
        "the assignment keeps the name that it was made with"
    );
    let old = before.now().await;
    assert_eq!(
        json!([old["accion_por"], old["aprobado_por"]]),
        json!([JUAN.name, JUAN.name])
    );
    assert_eq!(old["accion_por_id"], decided["accion_por_id"]);
}

#[tokio::test]
async fn requests_name_enabled_users_of_the_company_who_do_not_only_read() {
    let company = Company::of_payables().await;
    let other = Company::on(company.stack.clone());
    other.set_up_payables().await;
    let factura = company.register(body_of(LUZ, "U-1", "1.00")).await;
    let disabled = company.named(NORA).await;
    let disable = company.stack.cognito().admin_disable_user();
    disable
        .user_pool_id(company.stack.output("USER_POOL_ID"))
        .username(&disabled)
        .send()
        .await
        .unwrap();
    let admin = company.person(ANA).await;
    let unfit = [
        company.named(OLGA).await,
        other.named(JUAN).await,
        disabled,
        "nobody-at-all".to_owned(),
    ];
    for username in unfit {
        let responsable = json!({ "responsable": username });
        let expected = [("/responsable", "usuario_no_valido")];
        admin
            .post(&factura.path("/asignar"), responsable)
            .await
            .invalid(&expected);
        let assignment = json!({ "responsable": username, "nombre_proveedor": "Luz SA" });
        admin
            .put(&format!("/asignaciones/{LUZ}"), assignment)
            .await
            .invalid(&expected);
    }
    assert!(factura.now().await["responsable"].is_null());
    admin
        .get(&format!("/asignaciones/{LUZ}"))
        .await
        .refused(404, "not_found");
}
