//! The routes of payroll: a client's October, sealed twice, and the November that is compared with it.

use aws_sdk_dynamodb::types::AttributeValue;
use cierre_tests::{
    Client, Closing, Company, GOLDEN_CLIENT, GOLDEN_MONTH, Libro, NOMINA, WORDS, eventually,
    movimientos, names, rut, table,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::table::Table;

/// Employees of the book: more than a page of them.
const EMPLOYEES: u32 = 30;
/// Incidences of November: one is approved, one rejected, the others are decided on at once.
const INCIDENCES: usize = 12;
const BOOK: &str = "libro_remuneraciones";

impl Table {
    /// Measures them in a company of their own.
    pub(crate) async fn payroll(&mut self) {
        let company = Company::of_payroll().await;
        let usual = std::mem::replace(&mut self.client, company.admin().await);
        let october = self.clients_and_closings(&company).await;
        self.files(&october).await;
        self.discrepancies(&october).await;
        self.seals(&october).await;
        self.incidences(&october).await;
        self.history(&october).await;
        self.client = usual;
    }

    async fn clients_and_closings(&mut self, company: &Company) -> Closing {
        let clients = format!("{NOMINA}/clientes");
        let new = json!({ "rut": GOLDEN_CLIENT, "nombre": "Comercial Andes SpA" });
        let cliente = text(&self.post(&clients, new).await["id"]);
        let path = format!("{clients}/{cliente}");
        self.get(&clients).await;
        self.get(&path).await;
        let changed = json!({ "configuracion": { "umbral_variacion": "25.00" } });
        self.row(Method::PATCH, &path, Some(changed)).await;

        let closings = format!("{NOMINA}/cierres");
        let new = json!({ "cliente_id": cliente, "periodo": GOLDEN_MONTH });
        let id = text(&self.post(&closings, new).await["id"]);
        let october = Closing {
            company: company.clone(),
            cliente,
            id,
            periodo: GOLDEN_MONTH.to_owned(),
        };
        self.get(&closings).await;
        self.get(&october.path("")).await;
        let mistaken = company.closing_of(&october.cliente, "2025-09").await;
        let path = mistaken.path("?motivo=Se%20abri%C3%B3%20por%20error");
        self.row(Method::DELETE, &path, None).await;
        october
    }

    async fn files(&mut self, closing: &Closing) {
        let mut book = book();
        // Two pesos too many: the discrepancy to be found.
        let wrong = book.get(2, "5201").parse::<u32>().unwrap() + 2;
        let bytes = book.set(2, "5201", &wrong.to_string()).bytes();
        let new = json!({ "tipo": BOOK, "nombre": "libro.csv", "tamano": bytes.len() });
        let announced = self.post(&closing.path("/archivos"), new).await;
        let id = text(&announced["archivo_id"]);
        closing.put(&announced["upload"], &bytes).await;
        assert_eq!(closing.file_end(&id).await["estado"], "procesado");
        let movements = movimientos(&[]);
        closing
            .take("movimientos_mes", "movimientos.xlsx", &movements)
            .await;
        self.get(&closing.path("/archivos")).await;
        self.get(&closing.file_path(&id, "")).await;
        self.get(&closing.file_path(&id, "/columnas")).await;
        self.get(&closing.path("/empleados")).await;
        self.get(&closing.path("/registros")).await;

        // A file with an error: it is processed again, as after a fault of ours, and deleted.
        let bytes = table(&[
            &["rut", "fecha_termino", "causal_termino"],
            &["17317684-2", "15/10/2025", "4"],
        ]);
        let wrong = closing.upload("finiquitos", "finiquitos.csv", &bytes).await;
        assert_eq!(wrong["estado"], "con_errores");
        let id = text(&wrong["id"]);
        self.get(&closing.file_path(&id, "/errores")).await;
        fail(closing, &id).await;
        self.post(&closing.file_path(&id, "/reprocesar"), json!({}))
            .await;
        assert_eq!(closing.file_end(&id).await["estado"], "con_errores");
        self.row(Method::DELETE, &closing.file_path(&id, ""), None)
            .await;
    }

    async fn discrepancies(&mut self, closing: &Closing) {
        let path = closing.path("/discrepancias");
        let job = self.generate(closing, &path).await;
        self.get(&job).await;
        self.get(&path).await;
        let found = closing.list("/discrepancias").await;
        assert_eq!(names(&found, "regla"), ["5201"]);
        let path = format!("{path}/{}", text(&found[0]["id"]));
        self.get(&path).await;
        let words = json!({ "justificacion": WORDS });
        let supervisor = closing.company.supervisor().await;
        self.post_as(&supervisor, &format!("{path}/corregir"), words)
            .await;
    }

    async fn seals(&mut self, closing: &Closing) {
        closing.take(BOOK, "libro.csv", &book().bytes()).await;
        closing.generate("discrepancias").await;
        closing.generate("incidencias").await;
        self.get(&closing.path("/libro?formato=csv")).await;
        self.post(&closing.path("/finalizar"), json!({})).await;
        let supervisor = closing.company.supervisor().await;
        let reason = json!({ "motivo": WORDS });
        self.post_as(&supervisor, &closing.path("/reabrir"), reason)
            .await;
        let mut other = book();
        let last = usize::try_from(EMPLOYEES).unwrap() + 1;
        raise(&mut other, last);
        closing.take(BOOK, "libro.csv", &other.bytes()).await;
        closing.finish().await;
        self.get(&closing.path("/sellos")).await;
        self.get(&closing.path("/sellos/2")).await;
        self.get(&closing.path("/sellos/2/diferencias")).await;
    }

    async fn incidences(&mut self, october: &Closing) {
        let company = &october.company;
        let november = company.closing_of(&october.cliente, "2025-11").await;
        let mut book = book();
        for row in 2..INCIDENCES + 2 {
            raise(&mut book, row);
        }
        november.fill(&book.bytes()).await;
        november.generate("discrepancias").await;
        let path = november.path("/incidencias");
        self.generate(&november, &path).await;
        self.get(&path).await;
        let found = november.list("/incidencias?codigo=2101").await;
        let found = names(&found, "id");
        assert_eq!(found.len(), INCIDENCES);
        self.get(&format!("{path}/{}", found[0])).await;

        let supervisor = company.supervisor().await;
        let explained = json!({ "resolucion": "correcta", "justificacion": WORDS });
        let of = |nth: usize, action: &str| format!("{path}/{}/{action}", found[nth]);
        self.post(&of(0, "resolver"), explained.clone()).await;
        self.post_as(&supervisor, &of(0, "aprobar"), json!({}))
            .await;
        let other = self.client.post(&of(1, "resolver"), explained).await;
        other.expect(200);
        let rejected = json!({ "comentario": WORDS });
        self.post_as(&supervisor, &of(1, "rechazar"), rejected)
            .await;
        let many = json!({
            "accion": "resolver",
            "ids": found[2..],
            "resolucion": "correcta",
            "justificacion": WORDS,
        });
        let decided = self.post(&format!("{path}/lote"), many).await;
        let decided = decided["items"].as_array().unwrap();
        assert!(
            decided.iter().all(|one| one["status"] == 200),
            "{decided:?}"
        );
    }

    async fn history(&mut self, closing: &Closing) {
        let company = &closing.company;
        let misplaced = format!("payroll/{}/libro.csv", company.id);
        company.stack.drop_at(&misplaced, b"nowhere to go").await;
        let quarantine = format!("{NOMINA}/cuarentena");
        let admin = company.admin().await;
        eventually("what is misplaced is in quarantine", || async {
            let aside = admin.list(&quarantine).await;
            (!aside.is_empty()).then_some(())
        })
        .await;
        self.get(&quarantine).await;
        self.get(&closing.path("/timeline")).await;
        self.get(&closing.path("/errores")).await;
        self.get(&format!("{NOMINA}/actividad")).await;
    }

    /// Asks for results and waits for them; answers the job's path.
    async fn generate(&mut self, closing: &Closing, path: &str) -> String {
        let accepted = self.post(path, json!({})).await;
        let id = text(&accepted["trabajo_id"]);
        assert_eq!(closing.job_end(&id).await["estado"], "completado");
        format!("{NOMINA}/trabajos/{id}")
    }

    /// A command by somebody else.
    pub(crate) async fn post_as(&mut self, client: &Client, path: &str, body: Value) {
        let usual = std::mem::replace(&mut self.client, client.clone());
        self.post(path, body).await;
        self.client = usual;
    }
}

/// An ordinary month of everybody.
fn book() -> Libro {
    let ruts: Vec<String> = (0..EMPLOYEES).map(|n| rut(10_000_000 + n)).collect();
    Libro::of(&ruts)
}

/// Raises an employee's sueldo by 30 %, and all that is made of it.
fn raise(book: &mut Libro, row: usize) {
    book.set(row, "2101", "780000").balance(row);
}

/// Writes into the table that a file could not be processed. The way there takes three attempts with their waits.
async fn fail(closing: &Closing, archivo: &str) {
    let stack = &closing.company.stack;
    let pk = format!("{}#cierre#{}", closing.company.id, closing.id);
    let sk = format!("arc#{archivo}");
    let item = stack.payroll_item(&pk, &sk).await;
    let before = item["doc"].as_s().unwrap();
    let after = before.replace(r#""estado":"con_errores""#, r#""estado":"error""#);
    assert_ne!(*before, after, "the file is not as it was expected");
    let db = stack.dynamodb();
    let update = db.update_item().table_name(stack.output("PAYROLL_TABLE"));
    let update = update
        .key("pk", AttributeValue::S(pk))
        .key("sk", AttributeValue::S(sk))
        .update_expression("SET doc = :doc")
        .expression_attribute_values(":doc", AttributeValue::S(after));
    update.send().await.unwrap();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
