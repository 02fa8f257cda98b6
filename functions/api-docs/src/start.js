// The page stands at …/api, so the document is next to the page's own files, whatever host and stage are in front.
SwaggerUIBundle({
  url: "api/openapi.json",
  dom_id: "#document",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
