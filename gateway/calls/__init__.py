"""A call while it lives: what the house does (`acts`) and says (`words`), the rules of a talk with an agent (`talk`), who takes
calls (`people`), who hears whom (`hearing`), and what the processes of a gateway share of it (`store`, `shared`)."""
