#include "vault_sandbox.h"
