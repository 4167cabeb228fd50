"""Pure values and rules: no framework, driver, environment, clock or thread."""
