// The certified OpenID provider of npm, on this machine, with one client and whoever signs in.
// node certified.mjs FOLDER REDIRECT_URI ALG   (FOLDER has node_modules; prints the issuer)
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, redirectUri, alg] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`));

const kinds = [["rsa", { modulusLength: 2048 }], ["ec", { namedCurve: "P-256" }], ["ed25519", {}]];
const keys = kinds.map(([kind, how], n) => {
  const { privateKey } = generateKeyPairSync(kind, how);
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${n}`, use: "sig" };
});
const algorithms = ["RS256", "PS256", "ES256", "Ed25519", "HS256"];

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "us",
      client_secret: "a-secret-of-more-than-thirty-two-characters",
      redirect_uris: [redirectUri],
      id_token_signed_response_alg: alg,
    }],
    claims: {
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username", "picture"],
    },
    cookies: { keys: ["only for a test"] },
    enabledJWA: { idTokenSigningAlgValues: algorithms },
    jwks: { keys },
    pkce: { required: () => true },
    async findAccount(_context, sub) {
      const about = { name: "Ada Lovelace", preferred_username: sub };
      const more = { email: `${sub}@lovelace.example`, email_verified: true };
      return { accountId: sub, claims: async () => ({ sub, ...about, ...more }) };
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
