"""Documents signed by the program xmlsec1: other code than what verifies them here, and no lxml.

SPDX-License-Identifier: PostgreSQL
"""
import subprocess
import tempfile

import document
import keys


def template(reference, key="idp"):
    """Where a signature is to stand; reference: the ID of the element around it."""
    return f"""<ds:Signature xmlns:ds="{document.DS}"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{reference}">\
<ds:Transforms><ds:Transform Algorithm="{document.DS}enveloped-signature"/>\
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{keys.certificate(key)}</ds:X509Certificate>\
</ds:X509Data></ds:KeyInfo></ds:Signature>"""


def sign(text, element, key="idp"):
    """Fills the template in; element: the namespace and name, "ns:Name", of what has the ID."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(text.encode())
        file.flush()
        return subprocess.run(["xmlsec1", "--sign", "--privkey-pem", keys.FOLDER / f"{key}.key", "--id-attr:ID",
                               element, file.name], check=True, capture_output=True).stdout
