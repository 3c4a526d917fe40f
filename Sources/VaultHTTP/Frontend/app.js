import { VaultClient } from "./client.js";
