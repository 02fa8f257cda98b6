//! What many do at the same moment, fifty times each.

use cierre_tests::{
    ANA, ASEO, Company, Factura, JUAN, LUIS, LUZ, MARIA, OLGA, PEDRO, Reply, SARA, VERA,
    WORK_ENDS_WITHIN, Who, Xml, automatica, body_of, names, politica, within,
};
use futures::future::join_all;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

const ROUNDS: usize = 50;
/// Rounds that run beside each other; within one, everything happens at once.
const BESIDE: usize = 5;

/// A factura for every round, each over this total.
async fn facturas(company: &Company, total: &str) -> Vec<Factura> {
    let pedro = company.person(PEDRO).await;
    let bodies: Vec<Value> = (0..ROUNDS)
        .map(|nth| body_of(ASEO, &format!("RACE-{nth}"), total))
        .collect();
    let items = pedro
        .outcomes("/facturas/lote", json!({ "facturas": bodies }))
        .await;
    items
        .iter()
        .map(|item| company.factura(item["factura_id"].as_str().expect("a factura")))
        .collect()
}

/// Makes everybody known, so that no race waits for a login.
async fn gather(company: &Company, people: &[Who]) {
    for who in people {
        company.person(*who).await;
    }
}

/// A race over every factura; what it finds out is checked on the way.
async fn race_over(facturas: &[Factura], race: impl AsyncFn(&Factura)) {
    let race = &race;
    stream::iter(facturas)
        .for_each_concurrent(BESIDE, |factura| async move { race(factura).await })
        .await;
}

/// How many were taken. Every other one was refused with a 409 of these codes.
#[track_caller]
fn taken(replies: &[Reply], codes: &[&str]) -> usize {
    let (taken, refused): (Vec<&Reply>, Vec<&Reply>) =
        replies.iter().partition(|reply| reply.status == 200);
    for reply in refused {
        let code = reply.body["code"].as_str().unwrap_or_default();
        assert!(
            reply.status == 409 && codes.contains(&code),
            "{}: {}",
            reply.status,
            reply.text
        );
    }
    taken.len()
}

/// How many decisions the events of a factura tell.
async fn told(factura: &Factura) -> usize {
    let events = factura.events().await;
    events
        .iter()
        .filter(|event| event["event_type"] == "resolve")
        .count()
}

#[tokio::test]
async fn of_opposite_decisions_at_once_exactly_one_is_taken() {
    let company = Company::of_payables().await;
    gather(&company, &[JUAN, LUIS, SARA, ANA, OLGA]).await;
    let facturas = facturas(&company, "1000.00").await;
    race_over(&facturas, async |factura| {
        let approvals = join_all([JUAN, SARA].map(|who| factura.aprobar(who)));
        let rejections = join_all([LUIS, ANA].map(|who| factura.rechazar(who)));
        let (mut replies, rejected) = futures::join!(approvals, rejections);
        replies.extend(rejected);
        assert_eq!(taken(&replies, &["ya_decidida"]), 1, "{}", factura.id);
        assert_eq!(told(factura).await, 1);
        // The losers are told who won.
        let now = factura.now().await;
        for reply in replies.iter().filter(|reply| reply.status == 409) {
            for field in ["estado", "accion_por", "fecha_accion"] {
                assert_eq!(reply.body[field], now[field], "{}", reply.text);
            }
        }
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn of_many_approvals_at_once_exactly_as_many_as_are_needed_are_taken() {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["bandas"]["COP"] = json!([{ "hasta": null, "aprobaciones": 2 }]);
        }))
        .await;
    company.delegate(JUAN, MARIA).await;
    let people = [JUAN, MARIA, LUIS, SARA, ANA];
    gather(&company, &people).await;
    let facturas = facturas(&company, "1000.00").await;
    race_over(&facturas, async |factura| {
        // Everybody twice: nobody counts twice.
        let all = people.into_iter().chain(people);
        let replies = join_all(all.map(|who| factura.aprobar(who))).await;
        assert_eq!(
            taken(&replies, &["ya_decidida", "ya_aprobo"]),
            2,
            "{}",
            factura.id
        );
        let now = factura.now().await;
        assert_eq!(now["estado"], "aprobada");
        assert_eq!(told(factura).await, 2);
    })
    .await;
    // Disjoint people, none of them the registrar, is checked of every round.
    company.payables_agree().await;
}

#[tokio::test]
async fn of_two_approvals_at_once_where_two_are_needed_both_are_taken() {
    let company = Company::of_payables().await;
    company
        .set_policy(politica(|policy| {
            policy["bandas"]["COP"] = json!([{ "hasta": null, "aprobaciones": 2 }]);
        }))
        .await;
    gather(&company, &[JUAN, LUIS]).await;
    let facturas = facturas(&company, "1000.00").await;
    race_over(&facturas, async |factura| {
        let replies = join_all([JUAN, LUIS].map(|who| factura.aprobar(who))).await;
        assert_eq!(
            taken(&replies, &[]),
            2,
            "an approval that is still acceptable is applied"
        );
        let mut states: Vec<&str> = replies
            .iter()
            .map(|reply| reply.body["estado"].as_str().unwrap())
            .collect();
        states.sort_unstable();
        assert_eq!(states, ["aprobada", "en_revision"]);
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn whatever_many_do_at_once_every_place_tells_the_same_afterwards() {
    let company = Company::of_payables().await;
    company.delegate(JUAN, MARIA).await;
    gather(&company, &[JUAN, MARIA, LUIS, SARA, ANA, PEDRO]).await;
    let facturas = facturas(&company, "1000.00").await;
    race_over(&facturas, async |factura| {
        for _ in 0..2 {
            let (a, b, c, d, e) = futures::join!(
                factura.aprobar(MARIA),
                factura.rechazar(LUIS),
                factura.reabrir(SARA),
                factura.eliminar(PEDRO),
                factura.reabrir(ANA),
            );
            for reply in [a, b, c, d, e] {
                // Once it is deleted, it is not there.
                assert!(
                    [200, 204, 404, 409].contains(&reply.status),
                    "{}",
                    reply.text
                );
            }
        }
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn of_many_reopenings_at_once_one_begins_a_round() {
    let company = Company::of_payables().await;
    gather(&company, &[LUIS, SARA, ANA]).await;
    let facturas = facturas(&company, "1000.00").await;
    let juan = company.person(JUAN).await;
    juan.outcomes(
        "/facturas/decisiones",
        Company::order("rechazar", &facturas),
    )
    .await;
    race_over(&facturas, async |factura| {
        let replies = join_all([LUIS, SARA, ANA].map(|who| factura.reabrir(who))).await;
        assert_eq!(taken(&replies, &["no_decidida"]), 1);
        assert_eq!(factura.now().await["workflow"]["ronda"], 2);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_are_to_answer_at_once_one_does() {
    let company = Company::of_payables().await;
    gather(&company, &[JUAN, MARIA, PEDRO, LUIS, ANA]).await;
    let pedro = company.person(PEDRO).await;
    let bodies: Vec<Value> = (0..ROUNDS)
        .map(|nth| body_of(LUZ, &format!("RACE-{nth}"), "1.00"))
        .collect();
    let items = pedro
        .outcomes("/facturas/lote", json!({ "facturas": bodies }))
        .await;
    let ids = names(&items, "factura_id");
    let facturas: Vec<Factura> = ids.iter().map(|id| company.factura(id)).collect();
    race_over(&facturas, async |factura| {
        let tries = [(PEDRO, JUAN), (LUIS, MARIA), (ANA, LUIS)];
        let replies = join_all(tries.map(|(who, to)| factura.asignar(who, to))).await;
        assert_eq!(taken(&replies, &["responsable_ya_asignado"]), 1);
        let won = replies.iter().find(|reply| reply.status == 200).unwrap();
        assert_eq!(factura.now().await["responsable"], won.body["responsable"]);
        assert_eq!(factura.events_of("responsable_asignado").await.len(), 1);
    })
    .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn the_same_invoice_by_every_way_at_once_is_one_factura() {
    let company = Company::of_payables().await;
    let (pedro, vera, olga) = (
        company.person(PEDRO).await,
        company.person(VERA).await,
        company.person(OLGA).await,
    );
    let numbers: Vec<String> = (0..ROUNDS).map(|nth| format!("SAME{nth}")).collect();
    let bodies: Vec<Value> = numbers
        .iter()
        .map(|numero| body_of(ASEO, numero, "1.00"))
        .collect();
    let lote = vera
        .start_work("/facturas/lote", json!({ "facturas": bodies }))
        .await;
    let rounds = stream::iter(&numbers).map(|numero| {
        let (pedro, vera, company) = (&pedro, &vera, &company);
        async move {
            let invoice = Xml::numbered(numero);
            let spelled = numero.replace("SAME", "same-");
            let (dropped, one, other) = futures::join!(
                company.drop_xml(invoice.bytes()),
                pedro.post("/facturas", body_of(ASEO, numero, "1.00")),
                vera.post("/facturas", body_of(ASEO, &spelled, "2.00")),
            );
            for reply in [&one, &other] {
                assert!([201, 409].contains(&reply.status), "{}", reply.text);
            }
            let made = [&one, &other]
                .iter()
                .filter(|reply| reply.status == 201)
                .count();
            (dropped.key, made)
        }
    });
    let by_post: Vec<(String, usize)> = rounds.buffer_unordered(BESIDE).collect().await;
    let work = vera.work_end(&lote).await;
    let by_lote = usize::try_from(work["aplicados"].as_u64().unwrap()).unwrap();
    let by_post: usize = by_post.iter().map(|(_, made)| made).sum();
    let by_xml = within(WORK_ENDS_WITHIN, "every object has its end", || async {
        let listed = olga.list("/facturas").await;
        let by_xml = listed.iter().filter(|one| one["origen"] == "xml").count();
        let refused = olga.list("/facturas/rechazos-ingreso").await.len();
        (by_xml + refused == ROUNDS).then_some(by_xml)
    })
    .await;
    assert_eq!(
        by_post + by_lote + by_xml,
        ROUNDS,
        "{by_post} + {by_lote} + {by_xml}"
    );
    let listed = olga.list("/facturas").await;
    let fold = |numero: &str| numero.replace('-', "").to_uppercase();
    let mut found: Vec<String> = names(&listed, "numero").into_iter().map(fold).collect();
    let mut expected = numbers;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let refused = olga.list("/facturas/rechazos-ingreso").await;
    assert!(refused.iter().all(|one| one["code"] == "factura_duplicada"));
    company.payables_agree().await;
}

/// A word of letters for each round: what is of figures only does not tell concepts apart.
fn word(nth: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 10).unwrap());
    format!("sede{}{}", letter(nth / 10), letter(nth))
}

#[tokio::test]
async fn of_two_that_the_rule_would_approve_at_once_it_approves_one() {
    let company = Company::of_payables().await;
    let of = |nth: usize, numero: &str, fecha: &str| {
        let mut body = body_of(ASEO, &format!("{numero}{nth}"), "1000.00");
        body["concepto"] = json!(format!("Aseo {}", word(nth)));
        body["fecha_emision"] = json!(fecha);
        body["fecha_vencimiento"] = Value::Null;
        body
    };
    let pedro = company.person(PEDRO).await;
    let references: Vec<Value> = (0..ROUNDS)
        .map(|nth| of(nth, "REF", "2026-01-05"))
        .collect();
    let items = pedro
        .outcomes("/facturas/lote", json!({ "facturas": references }))
        .await;
    let ids = names(&items, "factura_id");
    let order = json!({ "accion": "aprobar", "ids": ids });
    company
        .person(JUAN)
        .await
        .outcomes("/facturas/decisiones", order)
        .await;
    company.set_policy(automatica(|_| {})).await;
    stream::iter(0..ROUNDS)
        .for_each_concurrent(BESIDE, |nth| {
            let (pedro, of) = (&pedro, &of);
            async move {
                let days = ["2026-02-05", "2026-02-14", "2026-02-23"];
                let tries = ["A", "B", "C"].iter().zip(days);
                let replies = join_all(
                    tries.map(|(numero, day)| pedro.post("/facturas", of(nth, numero, day))),
                )
                .await;
                let made: Vec<Value> = replies.into_iter().map(|reply| reply.expect(201)).collect();
                let automatic = made
                    .iter()
                    .filter(|one| one["estado"] == "aprobada_auto")
                    .count();
                // Each is less than twenty days from the others: whoever comes first is approved.
                assert_eq!(automatic, 1, "{made:#?}");
            }
        })
        .await;
    company.payables_agree().await;
}

#[tokio::test]
async fn one_key_used_by_many_at_once_registers_one() {
    let company = Company::of_payables().await;
    let pedro = company.person(PEDRO).await;
    for nth in 0..ROUNDS {
        let key = format!("at-once-{nth}");
        let body = body_of(ASEO, &format!("KEY-{nth}"), "1.00");
        let replies =
            join_all((0..3).map(|_| pedro.post_as(&key, "/facturas", body.clone()))).await;
        let mut ids: Vec<String> = Vec::new();
        for reply in replies {
            match reply.status {
                201 => ids.push(reply.body["id"].as_str().unwrap().to_owned()),
                409 => drop(reply.refused(409, "request_in_progress")),
                status => panic!("{status}: {}", reply.text),
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    assert_eq!(pedro.list("/facturas").await.len(), ROUNDS);
}
