//! Apple's in-app purchases (clause V19).
