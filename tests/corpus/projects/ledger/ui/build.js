import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("dist", { recursive: true });
writeFileSync("dist/ledger.js", readFileSync("src/ledger.js", "utf8").replace("SOURCE", "built by node"));
