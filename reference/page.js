// Puts the contract on the page. Everything of Scalar's that would talk to anybody but the API is off;
// the Content-Security-Policy would refuse it besides.
"use strict";

// The five documented languages, each by one client. Every other is hidden; Scalar knows no shorter way to say so.
const HIDDEN = {
  shell: ["httpie", "wget"],
  python: ["aiohttp", "httpx_async", "httpx_sync", "requests"], // which lack their imports, and so do not run
  js: ["axios", "jquery", "ofetch", "xhr"],
};
const OTHERS = "c clojure csharp dart fsharp http java julia kotlin node objc ocaml php powershell r rust swift";
for (const language of OTHERS.split(" ")) {
  HIDDEN[language] = true;
}

// "Bearer " is added to a token; one pasted with it would have it twice.
document.addEventListener(
  "paste",
  (event) => {
    const token = event.clipboardData?.getData("text").match(/^\s*bearer\s+(\S+)\s*$/i)?.[1];
    if (token) {
      event.preventDefault();
      event.stopImmediatePropagation();
      document.execCommand("insertText", false, token);
    }
  },
  true,
);

Scalar.createApiReference("#reference", {
  url: new URL("openapi.json", location.href).href,
  metaData: { title: "API Keys" },
  servers: [
    {
      url: "{baseUrl}",
      description: "Target server for requests. Edit to use your own host.",
      variables: { baseUrl: { default: location.origin, description: "Base URL" } },
    },
  ],
  // On a narrow screen the answer stands below the request, out of sight.
  onRequestSent: () => {
    if (matchMedia("(width < 1280px)").matches) {
      document.querySelector('[role=dialog] section[aria-label="Response"]')?.scrollIntoView();
    }
  },
  authentication: { preferredSecurityScheme: "jwt" },
  persistAuth: false,
  hiddenClients: HIDDEN,
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  defaultOpenAllTags: true,
  documentDownloadType: "direct",
  agent: { disabled: true },
  mcp: { disabled: true },
  telemetry: false,
  withDefaultFonts: false,
  hideClientButton: true,
  showDeveloperTools: "never",
});
