"""HTTP/1.1 as a client speaks it here: few system calls, every wait limited, every wait able to be broken off."""
