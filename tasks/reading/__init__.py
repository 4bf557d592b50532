"""How a page is read: the engine, and what is done so that it reads well."""
