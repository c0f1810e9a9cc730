"""Small bridges to other tools. Each is loaded only when it is used."""
