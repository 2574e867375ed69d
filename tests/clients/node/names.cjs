// Where there is no network of their own, the services' names lead to the gateway here. The clients are as they are.

const { NAMES = "", TLS } = process.env;
const names = NAMES.split(" ").filter((name) => name);
const tls = require("node:tls");
const { connect } = tls;

tls.connect = (options, ...more) => {
  if (!names.includes(options.host)) return connect(options, ...more);
  const [host, port] = TLS.split(":");
  return connect({ servername: options.host, ...options, host, port: Number(port) }, ...more);
};
