"""Languages as data: one folder of files for each, and what reads them."""
