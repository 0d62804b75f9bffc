//! WeChat Pay v3 (clause V2).
