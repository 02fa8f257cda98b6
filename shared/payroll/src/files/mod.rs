//! Reading files: what arrives is bytes, what leaves is rows and findings.
