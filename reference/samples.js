// The documented call in five languages, of any request: { method, url, headers, body, quiet }. Headers are pairs;
// body is text or empty; quiet says that a success has nothing to print but its status.
"use strict";

const escaped = (text, characters) => text.replace(characters, "\\$&");
const doubleQuoted = (text) => `"${escaped(text, /[\\"$`]/g)}"`; // in a shell
const singleQuoted = (text) => `'${escaped(text, /[\\']/g)}'`; // in Ruby
const listed = (lines, separator = "") => lines.join(`${separator}\n`);

const SAMPLES = {
  curl({ method, url, headers, body }) {
    const options = headers.map(([name, value]) => `-H ${doubleQuoted(`${name}: ${value}`)}`);
    if (body) {
      options.push(`--data-raw '${body.replaceAll("'", "'\\''")}'`);
    }
    return [`curl -X ${method} ${doubleQuoted(url)}`, ...options].join(" \\\n  ");
  },

  Python({ method, url, headers, body }) {
    return `import requests
import json

url = ${JSON.stringify(url)}
headers = {
${listed(headers.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`), ",")}
}
${body && `body = '''${escaped(body, /[\\']/g)}'''\n`}
response = requests.${method.toLowerCase()}(url, headers=headers${body && ", data=body.encode()"})
print(response.json())
`;
  },

  JavaScript({ method, url, headers, body }) {
    return `const response = await fetch(${JSON.stringify(url)}, {
  method: ${JSON.stringify(method)},
  headers: {
${listed(headers.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`), ",")}
  }${body && `,\n  body: \`${escaped(body, /[\\`$]/g)}\``}
});

const data = await response.json();
console.log(data);
`;
  },

  Go({ method, url, headers, body, quiet }) {
    const raw = body.includes("`") ? JSON.stringify(body) : `\`${body}\``;
    const packages = ["fmt", ...(quiet ? [] : ["io"]), "net/http", ...(quiet ? [] : ["os"]), ...(body ? ["strings"] : [])];
    return `package main

import (
${listed(packages.map((name) => `\t"${name}"`))}
)

func main() {
	req, err := http.NewRequest("${method}", ${JSON.stringify(url)}, ${body ? `strings.NewReader(${raw})` : "nil"})
	if err != nil {
		panic(err)
	}

${listed(headers.map(([name, value]) => `\treq.Header.Set(${JSON.stringify(name)}, ${JSON.stringify(value)})`))}

	client := &http.Client{}
	resp, err := client.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()

	fmt.Println("Response Status:", resp.Status)
${quiet ? "" : "\tif _, err := io.Copy(os.Stdout, resp.Body); err != nil {\n\t\tpanic(err)\n\t}\n"}}
`;
  },

  Ruby({ method, url, headers, body }) {
    const verb = method[0] + method.slice(1).toLowerCase();
    return `require 'net/http'
require 'json'

uri = URI(${singleQuoted(url)})
http = Net::HTTP.new(uri.host, uri.port)
http.use_ssl = ${url.startsWith("https:")}

request = Net::HTTP::${verb}.new(uri)
${listed(headers.map(([name, value]) => `request[${singleQuoted(name)}] = ${singleQuoted(value)}`))}
${body && `request.body = ${singleQuoted(body)}\n`}
response = http.request(request)
puts response.body
`;
  },
};
