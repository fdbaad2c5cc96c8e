"""Every gate can fail: a fault is planted in the product, and the gate has to say so."""
