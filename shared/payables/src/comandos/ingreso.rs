//! Intake: the one way by which a factura comes into being, whoever brings it.

use std::borrow::Cow;

use cierre_kernel::company::CompanyId;
use cierre_kernel::id::FacturaId;
use cierre_kernel::problem::Problem;
use cierre_platform::command::today;
use cierre_platform::company;
use cierre_platform::db::{Db, Key, Loaded, Tx};
use cierre_platform::{Context, Failure};

use super::{Mandato, Planeado};
use crate::entity::asignacion::Asignacion;
use crate::entity::factura::{
    Contexto, Datos, Expediente, FacturaNueva, Origen, WorkflowHistorico,
};
use crate::entity::politica::Politica;
use crate::entity::refusal::{FacturaRefusal, Invalid};
use crate::entity::{Change, Stamp};
use crate::repo;
use crate::rules::clave::Clave;
use crate::rules::comparacion::MotivoNoAuto;
use crate::rules::concepto::Grupo;
use crate::rules::sincronizacion::Estado;
use crate::table;
use crate::ubl::{Fallo, Lectura};

/// What a factura is made from.
#[derive(Clone, Debug)]
pub enum Documento {
    /// What a request says.
    Nueva(FacturaNueva, Origen),
    /// A factura of before, with its decision.
    Historica(FacturaNueva, WorkflowHistorico),
    /// An electronic invoice.
    Electronica(Box<Lectura>),
}

/// A factura to be registered.
#[derive(Clone, Debug)]
pub struct Registro {
    /// The id that it gets.
    pub id: FacturaId,
    /// Who registers it and when; not always who runs the command.
    pub stamp: Stamp,
    /// What it is made from.
    pub documento: Documento,
}

/// Why a factura is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negativa {
    /// The rules of facturas refuse it.
    Factura(FacturaRefusal),
    /// The electronic invoice is refused, at a place.
    Documento(Box<Fallo>),
}

impl From<FacturaRefusal> for Negativa {
    fn from(refusal: FacturaRefusal) -> Self {
        Self::Factura(refusal)
    }
}

impl From<Invalid> for Negativa {
    fn from(invalid: Invalid) -> Self {
        Self::Factura(invalid.into())
    }
}

impl From<Fallo> for Negativa {
    fn from(fallo: Fallo) -> Self {
        Self::Documento(Box::new(fallo))
    }
}

impl From<Negativa> for Problem {
    fn from(negativa: Negativa) -> Self {
        match negativa {
            Negativa::Factura(refusal) => refusal.into(),
            Negativa::Documento(fallo) => Self::new(fallo.code).detail(fallo.detail),
        }
    }
}

impl Documento {
    /// What it says, as a request would.
    fn nueva(&self) -> Cow<'_, FacturaNueva> {
        match self {
            Self::Nueva(nueva, _) | Self::Historica(nueva, _) => Cow::Borrowed(nueva),
            Self::Electronica(lectura) => Cow::Owned(lectura.nueva()),
        }
    }

    fn datos(
        &self,
        asignacion: Option<&Asignacion>,
        politica: &Politica,
        hoy: cierre_kernel::time::Date,
    ) -> Result<Datos, Negativa> {
        match self {
            Self::Nueva(nueva, _) | Self::Historica(nueva, _) => Ok(nueva.judge(asignacion, hoy)?),
            Self::Electronica(lectura) => {
                Ok(lectura.datos(asignacion, politica.nit_empresa, hoy)?)
            }
        }
    }
}

impl Mandato for Registro {
    type Negativa = Negativa;

    fn keys(&self, company: &CompanyId) -> Vec<Key> {
        let mut keys = vec![company::settings_key(company), table::politica(company)];
        let nueva = self.documento.nueva();
        // Without a NIT it is refused before anything else is looked at.
        let Some(nit) = nueva.nit() else {
            return keys;
        };
        keys.push(table::asignacion(company, nit));
        let clave = Clave::of(nit, &nueva.numero);
        keys.extend(clave.map(|clave| table::clave(company, &clave)));
        let grupo = Grupo::of(nit, &nueva.concepto);
        keys.push(table::grupo_cabeza(company, &grupo));
        keys
    }

    async fn planear(
        &self,
        db: &Db,
        context: &Context,
        loaded: &Loaded,
    ) -> Result<Result<Planeado, Negativa>, Failure> {
        let company = &context.company;
        let politica = repo::loaded_politica(loaded, company)?;
        let asignacion = match self.documento.nueva().nit() {
            Some(nit) => repo::loaded_asignacion(loaded, company, nit)?,
            None => None,
        };
        let hoy = today(loaded, context)?;
        let datos = match self.documento.datos(asignacion.as_ref(), &politica, hoy) {
            Ok(datos) => datos,
            Err(negativa) => return Ok(Err(negativa)),
        };
        let taken = datos.clave();
        let taken = taken.and_then(|clave| repo::loaded_duplicada(loaded, company, &clave));
        if let Some(known) = taken {
            return Ok(Err(FacturaRefusal::Duplicada(known).into()));
        }
        let grupo = datos.grupo();
        let contexto = Contexto {
            asignacion: asignacion.as_ref(),
            politica: &politica,
            grupo: &[],
        };
        let born = match &self.documento {
            Documento::Historica(_, historico) => {
                Expediente::importar(self.id, datos, historico, &contexto, &self.stamp)
            }
            Documento::Nueva(_, origen) => {
                Ok(self.judge(db, context, (datos, *origen), &contexto).await?)
            }
            Documento::Electronica(_) => Ok(self
                .judge(db, context, (datos, Origen::Xml), &contexto)
                .await?),
        };
        let change = match born {
            Ok(change) => change,
            Err(invalid) => return Ok(Err(invalid.into())),
        };
        let mut tx = Tx::new();
        let expediente = repo::put_expediente(&mut tx, context, None, change)?;
        if expediente.factura.estado() == Estado::AprobadaAuto {
            repo::put_grupo_cabeza(&mut tx, company, &grupo, loaded)?;
        }
        Ok(Ok(Planeado { tx, expediente }))
    }
}

impl Registro {
    /// Registers it, with the others of its group before it where automatic approval comes so far as to look at them: at most companies it never
    /// does, and their intake reads nothing more.
    async fn judge(
        &self,
        db: &Db,
        context: &Context,
        (datos, origen): (Datos, Origen),
        contexto: &Contexto<'_>,
    ) -> Result<Change<Expediente>, Failure> {
        let alone = Expediente::registrar(self.id, datos.clone(), origen, contexto, &self.stamp);
        let comparacion = alone.state.workflow.comparacion.as_ref();
        let reason = comparacion.and_then(|comparacion| comparacion.motivo_no_auto);
        // Of a group of none, the first check that looks at the group fails.
        if reason != Some(MotivoNoAuto::SinHistorial) {
            return Ok(alone);
        }
        let grupo = repo::grupo(db, &context.company, &datos.grupo()).await?;
        let contexto = Contexto {
            grupo: &grupo,
            ..*contexto
        };
        Ok(Expediente::registrar(
            self.id,
            datos,
            origen,
            &contexto,
            &self.stamp,
        ))
    }
}
