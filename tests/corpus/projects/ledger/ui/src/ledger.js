console.log("the ledger, SOURCE");
