// Where events go. The address of the page can say it, too: ?write_key=…&server=http://127.0.0.1:8000
window.TAX_APP = {
  writeKey: "",
  server: "http://127.0.0.1:8000",
  whatsapp: "254700000000",
};
