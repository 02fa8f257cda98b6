//! Intake: the one path by which a factura comes into being.

use cierre_kernel::codes;
use cierre_kernel::event::ChainHead;
use cierre_kernel::id::FacturaId;
use cierre_kernel::problem::FieldError;
use cierre_kernel::time::Instant;
use serde::{Deserialize, Serialize};

use super::super::asignacion::Asignacion;
use super::super::events::{Entry, PayablesEvent, Resolucion};
use super::super::politica::Politica;
use super::super::refusal::Invalid;
use super::super::workflow::{Calidad, EstadoWorkflow, Workflow};
use super::super::{Change, Stamp};
use super::{Datos, Expediente, Factura, FacturaNueva, Origen, Tiempos};
use crate::persona::{Persona, SISTEMA_AUTO, Usuario};
use crate::rules::comparacion::{Antecedente, Llegada, Resultado, evaluar};
use crate::rules::sincronizacion::{Estado, Sincronizado};
use crate::texto::cut;

/// Characters of an imported state or of an imported reason at most.
const IMPORTADO: usize = 1000;

/// What intake looks at beside the factura.
#[derive(Clone, Copy, Debug)]
pub struct Contexto<'a> {
    /// Who answers for the supplier's facturas.
    pub asignacion: Option<&'a Asignacion>,
    /// The policy in force.
    pub politica: &'a Politica,
    /// The live facturas of the same NIT and concept.
    pub grupo: &'a [Antecedente],
}

/// A decision that was taken before the books came here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowHistorico {
    /// The state's word; one that is not known reads as undecided.
    pub estado: String,
    /// Who approved.
    #[serde(default)]
    pub aprobada_por: Option<String>,
    /// When.
    #[serde(default)]
    pub fecha_aprobacion: Option<Instant>,
    /// Who rejected.
    #[serde(default)]
    pub rechazada_por: Option<String>,
    /// When.
    #[serde(default)]
    pub fecha_rechazo: Option<Instant>,
    /// Why.
    #[serde(default)]
    pub detalle_rechazo: Option<String>,
}

/// A factura of before, as a request writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacturaHistorica {
    /// See [`FacturaNueva::numero`].
    pub numero: String,
    /// See [`FacturaNueva::nit`].
    pub nit: String,
    /// See [`FacturaNueva::proveedor`].
    #[serde(default)]
    pub proveedor: Option<String>,
    /// See [`FacturaNueva::fecha_emision`].
    pub fecha_emision: String,
    /// See [`FacturaNueva::fecha_vencimiento`].
    #[serde(default)]
    pub fecha_vencimiento: Option<String>,
    /// See [`FacturaNueva::moneda`].
    #[serde(default)]
    pub moneda: Option<String>,
    /// See [`FacturaNueva::total`].
    pub total: serde_json::Value,
    /// See [`FacturaNueva::concepto`].
    pub concepto: String,
    /// See [`FacturaNueva::items`].
    #[serde(default)]
    pub items: Vec<super::ItemNuevo>,
    /// How it was decided.
    pub workflow: WorkflowHistorico,
}

impl FacturaHistorica {
    /// The factura apart from its decision.
    #[must_use]
    pub fn parts(self) -> (FacturaNueva, WorkflowHistorico) {
        let nueva = FacturaNueva {
            numero: self.numero,
            nit: self.nit,
            proveedor: self.proveedor,
            fecha_emision: self.fecha_emision,
            fecha_vencimiento: self.fecha_vencimiento,
            moneda: self.moneda,
            total: self.total,
            concepto: self.concepto,
            items: self.items,
        };
        (nueva, self.workflow)
    }
}

impl WorkflowHistorico {
    /// The round that it was. It begins with the import: nobody knows when it did.
    ///
    /// # Errors
    /// [`Invalid`] with `historico_incompleto`: a decision without name or date, except an automatic approval, or `en_revision`, whose
    /// approvals would be missing.
    pub fn judge(
        &self,
        id: FacturaId,
        datos: &Datos,
        politica: &Politica,
        now: Instant,
    ) -> Result<Workflow, Invalid> {
        let mut workflow = Workflow::begun(id, 1, now, politica.snapshot(datos.importe.0));
        let word = cut(self.estado.trim(), IMPORTADO).to_owned();
        workflow.estado = word.into();
        let name = |name: &Option<String>| {
            let name = name.as_deref().map(str::trim).unwrap_or_default();
            (!name.is_empty()).then(|| Persona::imported(name))
        };
        match workflow.estado {
            EstadoWorkflow::Recibida | EstadoWorkflow::Otro(_) => {}
            EstadoWorkflow::EnRevision => {
                let detail = "cannot be en_revision: its approvals would be missing";
                return Err(incomplete("/workflow/estado", detail));
            }
            EstadoWorkflow::AprobadaManual | EstadoWorkflow::AprobadaAuto => {
                workflow.aprobada = true;
                workflow.aprobada_por = name(&self.aprobada_por);
                workflow.fecha_aprobacion = self.fecha_aprobacion;
                if workflow.estado == EstadoWorkflow::AprobadaManual {
                    complete("aprobada_por", workflow.aprobada_por.is_some())?;
                    complete("fecha_aprobacion", self.fecha_aprobacion.is_some())?;
                }
            }
            EstadoWorkflow::Rechazada => {
                workflow.rechazada = true;
                workflow.rechazada_por = name(&self.rechazada_por);
                workflow.fecha_rechazo = self.fecha_rechazo;
                let detail = self.detalle_rechazo.as_deref();
                workflow.detalle_rechazo =
                    detail.map(|text| cut(text.trim(), IMPORTADO).to_owned());
                complete("rechazada_por", workflow.rechazada_por.is_some())?;
                complete("fecha_rechazo", self.fecha_rechazo.is_some())?;
            }
        }
        Ok(workflow)
    }
}

fn incomplete(pointer: &str, detail: &str) -> Invalid {
    Invalid(vec![FieldError::new(
        pointer,
        codes::HISTORICO_INCOMPLETO,
        detail,
    )])
}

fn complete(field: &str, present: bool) -> Result<(), Invalid> {
    if present {
        Ok(())
    } else {
        let detail = "is required of a decided factura";
        Err(incomplete(&format!("/workflow/{field}"), detail))
    }
}

impl Expediente {
    /// Registers a factura: it gets whoever answers for the supplier's, what the policy says now, and perhaps its approval by rule, all at
    /// once. That no other live factura has its key, and that the group has not changed meanwhile, is for the caller, in the same transaction.
    #[must_use]
    pub fn registrar(
        id: FacturaId,
        datos: Datos,
        origen: Origen,
        contexto: &Contexto<'_>,
        stamp: &Stamp,
    ) -> Change<Self> {
        let Contexto {
            asignacion,
            politica,
            grupo,
        } = *contexto;
        let total = datos.importe.0;
        let comparacion = evaluar(
            &Llegada {
                origen,
                con_responsable: asignacion.is_some(),
                fecha_emision: datos.fecha_emision,
                total,
                grupo,
            },
            politica,
        );
        let mut workflow = Workflow::begun(id, 1, stamp.at, politica.snapshot(total));
        match comparacion.resultado {
            Resultado::Pendiente => {}
            Resultado::AprobadaAuto => {
                workflow.approve_automatically(Persona::sistema(SISTEMA_AUTO), stamp.at);
            }
        }
        workflow.comparacion = Some(comparacion.clone());
        let sincronizado = Sincronizado::of(&workflow);
        let factura = born(id, datos, origen, asignacion, sincronizado, stamp);
        let mut events = vec![registered(&factura, stamp)];
        match comparacion.resultado {
            Resultado::Pendiente => {}
            Resultado::AprobadaAuto => {
                let resolucion = Resolucion {
                    estado_anterior: Estado::Pendiente,
                    calidad: Calidad::Sistema,
                    motivo: None,
                    comparacion: Some(comparacion),
                    sod_excepcion: false,
                };
                let event = resolucion.event(&factura, &workflow);
                events.push(Entry::new(&Usuario::sistema().actor(), event));
            }
        }
        Change::new(Self { factura, workflow }, events)
    }

    /// Takes over a factura of before with its decision. Nothing is approved by rule.
    ///
    /// # Errors
    /// [`Invalid`]: the decision is not complete.
    pub fn importar(
        id: FacturaId,
        datos: Datos,
        historico: &WorkflowHistorico,
        contexto: &Contexto<'_>,
        stamp: &Stamp,
    ) -> Result<Change<Self>, Invalid> {
        let workflow = historico.judge(id, &datos, contexto.politica, stamp.at)?;
        let sincronizado = Sincronizado::imported(&workflow);
        let origen = Origen::Historico;
        let factura = born(id, datos, origen, contexto.asignacion, sincronizado, stamp);
        let events = vec![registered(&factura, stamp)];
        Ok(Change::new(Self { factura, workflow }, events))
    }
}

fn born(
    id: FacturaId,
    datos: Datos,
    origen: Origen,
    asignacion: Option<&Asignacion>,
    sincronizado: Sincronizado,
    stamp: &Stamp,
) -> Factura {
    Factura {
        id,
        datos,
        origen,
        registrada_por: stamp.by.persona(),
        fecha_registro: stamp.at,
        responsable: asignacion.map(|asignacion| asignacion.responsable.clone()),
        sincronizado,
        ronda: 1,
        tiempos: Tiempos::default(),
        eliminada: false,
        correlation_id: stamp.correlation_id.clone(),
        version: 1,
        head: ChainHead::default(),
    }
}

fn registered(factura: &Factura, stamp: &Stamp) -> Entry {
    let responsable = factura.responsable.as_ref();
    Entry::of(
        stamp,
        PayablesEvent::FacturaRegistrada {
            factura: factura.id,
            numero: factura.datos.numero.clone(),
            nit: factura.datos.nit,
            importe: factura.datos.importe,
            responsable: responsable.map(|usuario| usuario.nombre.clone()),
            origen: factura.origen,
        },
    )
}
